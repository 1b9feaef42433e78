use super::*;
use crate::key::LifeCycleError;
use crate::key::testing::{key_with, named};
use crate::kmip::attribute::{ApplicationSpecificInformation, Name};
use crate::kmip::enumeration::{State, UsageLimitsUnit};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;

const NOW: DateTime = DateTime(1_700_000_000);
const LATER: DateTime = DateTime(1_700_000_060);

fn kind(kind: AttributeKind) -> AttributeName {
    kind.into()
}

#[test]
fn vmware_s_attributes_are_added_without_an_index() {
    let mut key = key_with(Vec::new(), NOW);
    let product = Attribute::custom_text("x-Product", "VMware vSphere");
    assert_eq!(key.add_attribute(product.clone(), LATER), Ok(product));
    assert_eq!(
        key.instances(&kind(AttributeKind::LastChangeDate), LATER),
        [AttributeValue::LastChangeDate(LATER).into()]
    );
}

#[test]
fn a_second_instance_gets_the_next_index() {
    let mut key = key_with(vec![named("a")], NOW);
    assert_eq!(key.add_attribute(named("b"), LATER).unwrap().index, Some(1));
}

#[test]
fn an_index_from_the_client_is_refused_where_the_server_gives_it() {
    let mut key = key_with(Vec::new(), NOW);
    let indexed = Attribute::indexed(0, AttributeValue::ObjectGroup("g".into()));
    assert!(matches!(
        key.add_attribute(indexed, LATER),
        Err(AttributeError::IndexGiven { .. })
    ));
}

#[test]
fn an_attribute_of_one_value_is_added_once() {
    let mut key = key_with(Vec::new(), NOW);
    let contact = |text: &str| Attribute::from(AttributeValue::ContactInformation(text.into()));
    key.add_attribute(contact("a"), LATER).unwrap();
    assert!(matches!(
        key.add_attribute(contact("b"), LATER),
        Err(AttributeError::Exists { .. })
    ));
    assert_eq!(key.modify_attribute(contact("b"), LATER), Ok(contact("b")));
}

#[test]
fn the_activation_date_of_an_active_key_cannot_be_modified() {
    let mut key = key_with(Vec::new(), NOW);
    key.activate(NOW).unwrap();
    let before = key.clone();
    assert_eq!(
        key.modify_attribute(AttributeValue::ActivationDate(LATER).into(), LATER),
        Err(AttributeError::LifeCycle(LifeCycleError::Settled {
            date: "Activation Date",
            state: State::Active
        }))
    );
    assert_eq!(key, before);
}

#[test]
fn an_activation_date_that_has_come_activates() {
    let mut key = key_with(Vec::new(), NOW);
    key.add_attribute(AttributeValue::ActivationDate(NOW).into(), NOW)
        .unwrap();
    assert_eq!(key.state(NOW), Some(State::Active));
    assert!(matches!(
        key.add_attribute(AttributeValue::ActivationDate(NOW).into(), NOW),
        Err(AttributeError::Exists { .. })
    ));
}

#[test]
fn what_is_not_there_cannot_be_modified_or_deleted() {
    let mut key = key_with(vec![named("a")], NOW);
    let missing = AttributeValue::DeactivationDate(LATER).into();
    assert!(matches!(
        key.modify_attribute(missing, LATER),
        Err(AttributeError::Absent { .. })
    ));
    let instance = Attribute::indexed(4, AttributeValue::Name(Name::text("b")));
    assert!(matches!(
        key.modify_attribute(instance, LATER),
        Err(AttributeError::NoInstance { index: 4, .. })
    ));
    assert!(matches!(
        key.delete_attribute(&kind(AttributeKind::ObjectGroup), 0, LATER),
        Err(AttributeError::Absent { .. })
    ));
    assert!(matches!(
        key.delete_attribute(&AttributeName::from_text("Nonsense"), 0, LATER),
        Err(AttributeError::Absent { .. })
    ));
}

#[test]
fn what_every_key_has_cannot_be_deleted() {
    let mut key = key_with(Vec::new(), NOW);
    for name in [
        AttributeKind::State,
        AttributeKind::CryptographicUsageMask,
        AttributeKind::Digest,
        AttributeKind::Sensitive,
    ] {
        assert!(matches!(
            key.delete_attribute(&kind(name), 0, LATER),
            Err(AttributeError::NotDeletable { .. })
        ));
    }
}

#[test]
fn custom_attributes_of_the_server_and_unknown_names_are_refused() {
    let mut key = key_with(Vec::new(), NOW);
    assert!(matches!(
        key.add_attribute(Attribute::custom_text("y-Origin", "device"), LATER),
        Err(AttributeError::ReadOnly { .. })
    ));
    assert!(matches!(
        key.add_attribute(Attribute::custom_text("Colour", "blue"), LATER),
        Err(AttributeError::Unknown { .. })
    ));
}

#[test]
fn a_key_that_was_ever_open_does_not_claim_to_have_been_sensitive_always() {
    let mut key = key_with(vec![AttributeValue::Sensitive(true).into()], NOW);
    let show = |key: &ManagedObject, name| key.instances(&kind(name), LATER)[0].value.clone();
    assert_eq!(
        show(&key, AttributeKind::AlwaysSensitive),
        AttributeValue::AlwaysSensitive(true)
    );
    for sensitive in [false, true] {
        key.modify_attribute(AttributeValue::Sensitive(sensitive).into(), LATER)
            .unwrap();
    }
    assert!(key.is_sensitive());
    assert_eq!(
        show(&key, AttributeKind::AlwaysSensitive),
        AttributeValue::AlwaysSensitive(false)
    );
    key.modify_attribute(AttributeValue::Extractable(false).into(), LATER)
        .unwrap();
    assert!(!key.is_extractable());
    assert_eq!(
        show(&key, AttributeKind::NeverExtractable),
        AttributeValue::NeverExtractable(false)
    );
}

#[test]
fn all_of_a_new_usage_limit_is_left() {
    let mut key = key_with(Vec::new(), NOW);
    let limits = |count| {
        AttributeValue::UsageLimits(UsageLimits {
            total: 1000,
            count,
            unit: UsageLimitsUnit::Byte,
        })
    };
    let added = key.add_attribute(limits(Some(3)).into(), LATER).unwrap();
    assert_eq!(added.value, limits(Some(1000)));
    assert_eq!(key.usage_left(), Some(1000));
}

#[test]
fn no_application_data_is_made_up() {
    let mut key = key_with(Vec::new(), NOW);
    let information = AttributeValue::ApplicationSpecificInformation(ApplicationSpecificInformation {
        application_namespace: "ssl".into(),
        application_data: None,
    });
    assert_eq!(
        key.add_attribute(information.into(), LATER),
        Err(AttributeError::ApplicationNamespace)
    );
}

#[test]
fn a_custom_attribute_has_no_structure_in_a_structure() {
    let mut key = key_with(Vec::new(), NOW);
    let custom = |value| {
        Attribute::from(AttributeValue::Other {
            name: "x-s".into(),
            value,
        })
    };
    let leaf = Item::new(Tag::NAME_VALUE, Value::TextString("v".into()));
    let flat = Value::Structure(vec![leaf]);
    let deep = Value::Structure(vec![Item::new(Tag::NAME, flat.clone())]);
    assert!(key.add_attribute(custom(flat), LATER).is_ok());
    assert!(matches!(
        key.add_attribute(custom(deep), LATER),
        Err(AttributeError::Invalid { .. })
    ));
}

#[test]
fn a_policy_that_is_not_kept_is_not_promised() {
    let mut key = key_with(Vec::new(), NOW);
    let policy = |name: &str| Attribute::from(AttributeValue::OperationPolicyName(name.into()));
    assert!(matches!(
        key.add_attribute(policy("public"), LATER),
        Err(AttributeError::Invalid { .. })
    ));
    assert!(key.add_attribute(policy("default"), LATER).is_ok());
}
