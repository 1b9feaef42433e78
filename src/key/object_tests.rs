use super::*;
use crate::key::testing::{key_with, named};
use crate::kmip::attribute::AttributeKind;

const NOW: DateTime = DateTime(1_700_000_000);

fn names_at(object: &ManagedObject, now: DateTime) -> Vec<String> {
    object
        .attribute_names(now)
        .iter()
        .map(|name| name.as_text().to_owned())
        .collect()
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
            "Key Format Type",
            "Protection Storage Mask",
            "Short Unique Identifier",
        ]
    );
    for name in key.attribute_names(NOW) {
        assert!(!key.instances(&name, NOW).is_empty(), "{name}");
    }
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
