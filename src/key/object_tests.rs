use super::*;
use crate::key::testing::{key_with, named, template_of_vcenter};

const NOW: DateTime = DateTime(1_700_000_000);

fn names_at(object: &ManagedObject, now: DateTime) -> Vec<String> {
    object
        .attribute_names(now)
        .iter()
        .map(|name| name.as_text().to_owned())
        .collect()
}

fn draft(origin: Origin, attributes: Vec<Attribute>) -> Result<KeyDraft, AttributeError> {
    KeyDraft::new(Uuid::nil(), Uuid::nil(), origin, attributes, NOW)
}

#[test]
fn a_new_key_shows_every_attribute_that_keys_always_have() {
    let key = key_with(vec![named("disk")], NOW);
    assert_eq!(
        names_at(&key, NOW),
        [
            "Unique Identifier",
            "Name",
            "Object Type",
            "Cryptographic Algorithm",
            "Cryptographic Length",
            "Digest",
            "Cryptographic Usage Mask",
            "Lease Time",
            "State",
            "Initial Date",
            "Fresh",
            "Last Change Date",
            "Original Creation Date",
            "Random Number Generator",
            "Sensitive",
            "Always Sensitive",
            "Extractable",
            "Never Extractable",
        ]
    );
    for name in key.attribute_names(NOW) {
        assert!(!key.instances(&name, NOW).is_empty(), "{name}");
    }
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
fn a_compromise_without_a_date_is_dated_back_to_the_beginning() {
    let mut key = key_with(Vec::new(), NOW);
    let reason = RevocationReason {
        code: RevocationReasonCode::KeyCompromise,
        message: Some("laptop stolen".into()),
    };
    let later = DateTime(NOW.0 + 50);
    assert_eq!(key.revoke(reason.clone(), None, later), Ok(State::Compromised));
    let show = |kind: AttributeKind| key.instances(&kind.into(), later);
    assert_eq!(
        show(AttributeKind::CompromiseOccurrenceDate),
        [AttributeValue::CompromiseOccurrenceDate(NOW).into()]
    );
    assert_eq!(
        show(AttributeKind::CompromiseDate),
        [AttributeValue::CompromiseDate(later).into()]
    );
    assert_eq!(
        show(AttributeKind::RevocationReason),
        [AttributeValue::RevocationReason(reason).into()]
    );
}

#[test]
fn the_date_of_the_last_change_never_goes_back() {
    let mut key = key_with(Vec::new(), NOW);
    key.activate(DateTime(NOW.0 - 10)).unwrap();
    assert_eq!(key.last_change, NOW);
    assert_eq!(
        key.instances(&AttributeKind::ActivationDate.into(), NOW),
        [AttributeValue::ActivationDate(NOW).into()]
    );
}

#[test]
fn a_key_is_fresh_until_it_is_served_once() {
    let mut key = key_with(Vec::new(), NOW);
    assert!(key.serve());
    assert!(!key.serve());
    assert_eq!(
        key.instances(&AttributeKind::Fresh.into(), NOW),
        [AttributeValue::Fresh(false).into()]
    );
}

#[test]
fn a_destroyed_template_leaves_nothing_to_read() {
    let lent = vec![AttributeValue::ObjectGroup("g".into()).into()];
    let mut template =
        ManagedObject::template(Uuid::nil(), Uuid::nil(), vec![named("t")], lent, NOW).unwrap();
    assert_eq!(template.state(NOW), None);
    assert!(!template.is_destroyed());
    template.destroy(NOW).unwrap();
    assert!(template.is_destroyed() && template.is_gone());
    assert_eq!(template.attribute_names(NOW), []);
    assert_eq!(template.index_terms(), []);
}

#[test]
fn a_template_has_no_life_to_begin_or_end() {
    let mut template =
        ManagedObject::template(Uuid::nil(), Uuid::nil(), vec![named("t")], Vec::new(), NOW).unwrap();
    assert_eq!(template.activate(NOW), Err(LifeCycleError::NoLifeCycle));
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

#[test]
fn an_object_survives_being_stored() {
    let mut key = key_with(
        vec![named("Schlüssel ✓"), Attribute::custom_text("x-Name", "vm 1")],
        NOW,
    );
    key.activate(NOW).unwrap();
    let stored = serde_json::to_vec(&key).unwrap();
    assert_eq!(serde_json::from_slice::<ManagedObject>(&stored).unwrap(), key);
}

#[test]
fn an_object_is_found_by_its_names_and_by_vmware_s_attributes() {
    let key = key_with(
        vec![
            named("disk"),
            Attribute::custom_text("x-Product", "VMware vSphere"),
        ],
        NOW,
    );
    let terms: Vec<_> = key
        .index_terms()
        .into_iter()
        .map(|term| (term.name, term.value))
        .collect();
    assert_eq!(
        terms,
        [
            ("Name".to_owned(), "disk".to_owned()),
            ("x-Product".to_owned(), "VMware vSphere".to_owned())
        ]
    );
}
