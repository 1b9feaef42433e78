use super::*;
use crate::key::testing::{key_with, named};
use crate::kmip::attribute::{
    ApplicationSpecificInformation, Attribute, AttributeValue, CryptographicParameters, Link, Name,
};
use crate::kmip::enumeration::{BlockCipherMode, CryptographicAlgorithm, LinkType, ObjectType};
use crate::kmip::mask::CryptographicUsageMask;

const NOW: DateTime = DateTime(1_700_000_000);

fn filter(wanted: &[AttributeValue]) -> Result<LocateFilter, AttributeError> {
    LocateFilter::new(wanted.iter().map(AttributePattern::equal_to).collect())
}

fn found(object: &ManagedObject, wanted: &[AttributeValue]) -> bool {
    filter(wanted).unwrap().matches(object, NOW)
}

#[test]
fn every_attribute_that_is_asked_for_counts() {
    let key = key_with(vec![named("a"), named("b")], NOW);
    let name = |text: &str| AttributeValue::Name(Name::text(text));
    assert!(found(&key, &[]));
    assert!(found(&key, &[name("a"), name("b")]));
    assert!(!found(&key, &[name("a"), name("c")]));
    assert!(found(
        &key,
        &[
            AttributeValue::ObjectType(ObjectType::SymmetricKey),
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::State(State::PreActive),
            AttributeValue::UniqueIdentifier(key.id().to_string()),
        ]
    ));
}

#[test]
fn two_dates_are_a_range_with_both_ends_in_it() {
    let key = key_with(Vec::new(), NOW);
    let initial = |offset: i64| AttributeValue::InitialDate(DateTime(NOW.0 + offset));
    assert!(found(&key, &[initial(0)]));
    assert!(!found(&key, &[initial(1)]));
    assert!(found(&key, &[initial(20), initial(-20)]));
    assert!(found(&key, &[initial(0), initial(5)]));
    assert!(!found(&key, &[initial(1), initial(5)]));
    let three: Vec<_> = (0..3).map(initial).collect();
    assert!(filter(&three).is_err());
}

#[test]
fn the_greatest_date_stands_for_none() {
    let key = key_with(Vec::new(), NOW);
    let ending = key_with(
        vec![AttributeValue::DeactivationDate(DateTime(NOW.0 + 9)).into()],
        NOW,
    );
    let never = [AttributeValue::DeactivationDate(DateTime(i64::MAX))];
    assert!(found(&key, &never) && !found(&ending, &never));
    let from_now = [
        AttributeValue::DeactivationDate(NOW),
        AttributeValue::DeactivationDate(DateTime(i64::MAX)),
    ];
    assert!(found(&key, &from_now) && found(&ending, &from_now));
}

#[test]
fn a_usage_mask_asks_for_the_bits_that_are_set() {
    let key = key_with(Vec::new(), NOW);
    let mask = |mask| [AttributeValue::CryptographicUsageMask(mask)];
    assert!(found(&key, &mask(CryptographicUsageMask::ENCRYPT)));
    assert!(!found(
        &key,
        &mask(CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::SIGN)
    ));
}

#[test]
fn fields_that_are_left_out_fit_any_value() {
    let information = |data: Option<&str>| {
        AttributeValue::ApplicationSpecificInformation(ApplicationSpecificInformation {
            application_namespace: "ssl".into(),
            application_data: data.map(Into::into),
        })
    };
    let parameters = AttributeValue::CryptographicParameters(Box::new(CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
        tag_length: Some(16),
        ..CryptographicParameters::default()
    }));
    let key = key_with(vec![information(Some("www")).into(), parameters.into()], NOW);
    assert!(found(&key, &[information(None)]));
    assert!(!found(&key, &[information(Some("ftp"))]));
    let wanted = |mode| {
        [AttributeValue::CryptographicParameters(Box::new(
            CryptographicParameters {
                block_cipher_mode: Some(mode),
                ..CryptographicParameters::default()
            },
        ))]
    };
    assert!(found(&key, &wanted(BlockCipherMode::NISTKeyWrap)));
    assert!(!found(&key, &wanted(BlockCipherMode::CBC)));
}

#[test]
fn a_destroyed_key_is_found_only_by_who_asks_for_one() {
    let mut key = key_with(vec![named("a")], NOW);
    key.destroy(NOW).unwrap();
    assert!(!found(&key, &[AttributeValue::Name(Name::text("a"))]));
    assert!(found(&key, &[AttributeValue::State(State::Destroyed)]));
}

#[test]
fn a_name_that_no_attribute_has_is_refused() {
    assert!(filter(&[Attribute::custom_text("Colour", "blue").value]).is_err());
}

#[test]
fn a_term_never_hides_an_object_that_matches() {
    let long = "x".repeat(10_000);
    let link = AttributeValue::Link(Link {
        link_type: LinkType::ParentLink,
        linked_object_identifier: "other".into(),
    });
    let attributes = vec![
        named(&long),
        named("short"),
        AttributeValue::ObjectGroup("g".into()).into(),
        Attribute::custom_text("x-Name", "vm"),
        link.clone().into(),
    ];
    let key = key_with(attributes.clone(), NOW);
    let terms = key.index_terms();
    for attribute in attributes {
        let filter = filter(&[attribute.value]).unwrap();
        assert!(filter.matches(&key, NOW));
        assert!(filter.terms().iter().all(|term| terms.contains(term)));
    }
}
