use super::*;
use crate::key::testing::{key_with, template_of_vcenter};
use crate::kmip::enumeration::State;

const NOW: DateTime = DateTime(1_700_000_000);

fn draft(origin: Origin, attributes: Vec<Attribute>) -> Result<KeyDraft, AttributeError> {
    KeyDraft::new(Uuid::nil(), Uuid::nil(), origin, attributes, NOW)
}

#[test]
fn a_key_with_an_activation_date_in_the_past_is_active_at_once() {
    let key = key_with(
        vec![AttributeValue::ActivationDate(DateTime(NOW.0 - 3600)).into()],
        NOW,
    );
    assert_eq!(key.state(NOW), Some(State::Active));
}

#[test]
fn dates_are_taken_in_any_order() {
    let key = key_with(
        vec![
            AttributeValue::ActivationDate(DateTime(NOW.0 - 7200)).into(),
            AttributeValue::DeactivationDate(DateTime(NOW.0 - 3600)).into(),
            AttributeValue::ProtectStopDate(DateTime(NOW.0 - 3700)).into(),
        ],
        NOW,
    );
    assert_eq!(key.state(NOW), Some(State::Deactivated));
}

#[test]
fn the_device_is_not_told_which_generator_to_use() {
    let rng = |rng_algorithm| RngParameters {
        rng_algorithm,
        cryptographic_algorithm: None,
        cryptographic_length: None,
        hashing_algorithm: None,
        drbg_algorithm: None,
        recommended_curve: None,
        fips186_variation: None,
        prediction_resistance: None,
    };
    let with = |origin, rng_algorithm| {
        let mut attributes = template_of_vcenter();
        attributes.push(AttributeValue::RandomNumberGenerator(rng(rng_algorithm)).into());
        draft(origin, attributes)
    };
    assert!(with(Origin::Created, RngAlgorithm::Unspecified).is_ok());
    assert!(with(Origin::Created, RngAlgorithm::DRBG).is_err());
    let registered = Origin::Registered {
        format: KeyFormatType::Raw,
        algorithm: None,
        length: None,
        bytes: 32,
    };
    let key = with(registered, RngAlgorithm::DRBG).unwrap().finish([0; 32]);
    assert_eq!(
        key.instances(&AttributeKind::RandomNumberGenerator.into(), NOW),
        [AttributeValue::RandomNumberGenerator(rng(RngAlgorithm::DRBG)).into()]
    );
}

#[test]
fn what_the_server_says_cannot_come_from_a_client() {
    for value in [
        AttributeValue::State(State::Active),
        AttributeValue::InitialDate(NOW),
        AttributeValue::LeaseTime(1),
        AttributeValue::OriginalCreationDate(NOW),
        AttributeValue::NeverExtractable(true),
    ] {
        let mut attributes = template_of_vcenter();
        attributes.push(value.into());
        assert!(matches!(
            draft(Origin::Created, attributes),
            Err(AttributeError::ReadOnly { .. })
        ));
    }
}
