use super::*;
use crate::key::testing::{key_with, named};
use crate::key::{KeyDraft, LONGEST_OPAQUE, Origin};
use crate::kmip::attribute::{AttributeKind, KeyValueLocation};
use crate::kmip::enumeration::KeyValueLocationType;

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

/// A key and a template as they were stored when these two were all that was kept.
const STORED: [&str; 2] = [
    r#"{"id":"00000000-0000-0000-0000-000000000007","adapter":"00000000-0000-0000-0000-000000000009","initial":1700000000,"last_change":1700000000,"sensitive":{"on":false,"always":false},"unextractable":{"on":false,"always":false},"body":{"SymmetricKey":{"algorithm":3,"length":256,"bytes":32,"format":1,"usage_mask":12,"lease_time":3600,"fresh":true,"life_cycle":{"settled":2,"activation":1700000000},"revocation_reason":null}},"attributes":[[0,{"OriginalCreationDate":1700000000}],[0,{"RandomNumberGenerator":{"rng_algorithm":1,"cryptographic_algorithm":null,"cryptographic_length":null,"hashing_algorithm":null,"drbg_algorithm":null,"recommended_curve":null,"fips186_variation":null,"prediction_resistance":null}}],[0,{"Name":{"value":"disk","name_type":1}}],[0,{"Other":{"name":"x-Product","value":{"TextString":"vm 1"}}}],[0,{"Digest":{"hashing_algorithm":6,"digest_value":[7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7,7],"key_format_type":1}}]]}"#,
    r#"{"id":"00000000-0000-0000-0000-000000000008","adapter":"00000000-0000-0000-0000-000000000009","initial":1700000000,"last_change":1700000000,"sensitive":{"on":false,"always":false},"unextractable":{"on":false,"always":false},"body":{"Template":[{"index":null,"value":{"ObjectGroup":"g"}}]},"attributes":[[0,{"Name":{"value":"t","name_type":1}}]]}"#,
];

#[test]
fn objects_that_were_stored_before_there_were_other_types_are_read_and_stay_the_same() {
    for stored in STORED {
        let object: ManagedObject = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&object).unwrap(), stored);
    }
    let key: ManagedObject = serde_json::from_str(STORED[0]).unwrap();
    assert_eq!(key.object_type(), ObjectType::SymmetricKey);
    assert_eq!((key.bytes(), key.length()), (Some(32), Some(256)));
    assert!(key.is_aes() && !key.is_elsewhere() && key.registered_wrapped().is_none());
    assert_eq!(key.state(NOW), Some(State::Active));
}

#[test]
fn secret_data_and_opaque_objects_survive_being_stored() {
    let brought = Origin::Registered {
        format: KeyFormatType::Opaque,
        algorithm: None,
        length: None,
        bytes: 14,
    };
    let (id, adapter) = (Uuid::from_u128(7), Uuid::from_u128(9));
    let password = KeyDraft::secret_data(
        id,
        adapter,
        SecretDataType::Password,
        brought,
        vec![named("p")],
        NOW,
    );
    let opaque = OpaqueDataType::from(0x8000_0001);
    let opaque = KeyDraft::opaque_object(id, adapter, opaque, 0, vec![named("o")], NOW);
    let elsewhere = Origin::Absent {
        format: KeyFormatType::Raw,
        algorithm: Some(CryptographicAlgorithm::AES),
        length: Some(128),
    };
    let location = AttributeValue::KeyValueLocation(KeyValueLocation {
        value: "HSM-13345".into(),
        location_type: KeyValueLocationType::UninterpretedTextString,
    });
    let elsewhere = KeyDraft::new(id, adapter, elsewhere, vec![location.into()], NOW)
        .unwrap()
        .elsewhere();
    for object in [
        password.unwrap().finish([7; 32]),
        opaque.unwrap().finish([7; 32]),
        elsewhere,
    ] {
        let stored = serde_json::to_string(&object).unwrap();
        assert_eq!(serde_json::from_str::<ManagedObject>(&stored).unwrap(), object);
    }
}

#[test]
fn a_stored_password_cannot_be_found_by_its_digest() {
    let brought = Origin::Registered {
        format: KeyFormatType::Raw,
        algorithm: None,
        length: None,
        bytes: 8,
    };
    let draft = KeyDraft::secret_data(
        Uuid::nil(),
        Uuid::nil(),
        SecretDataType::Password,
        brought,
        Vec::new(),
        NOW,
    );
    let password = draft.unwrap().finish([0xAB; 32]);
    let stored = serde_json::to_string(&password).unwrap();
    assert!(!stored.contains("171"), "{stored}");
    let created = KeyDraft::secret_data(
        Uuid::nil(),
        Uuid::nil(),
        SecretDataType::Password,
        Origin::Created,
        vec![AttributeValue::CryptographicLength(80).into()],
        NOW,
    );
    let created = created.unwrap().finish([0xAB; 32]);
    assert_eq!(created.instances(&AttributeKind::Digest.into(), NOW).len(), 1);
    assert_eq!(created.format(), Some(KeyFormatType::Opaque));
    assert_eq!(created.bytes(), Some(10));
}

#[test]
fn a_value_that_is_too_long_is_refused_with_the_limit() {
    let opaque = |bytes| {
        let data_type = OpaqueDataType::from(1);
        KeyDraft::opaque_object(Uuid::nil(), Uuid::nil(), data_type, bytes, Vec::new(), NOW)
    };
    assert!(opaque(LONGEST_OPAQUE).is_ok());
    let refused = opaque(LONGEST_OPAQUE + 1).unwrap_err().to_string();
    assert!(refused.contains("at most 262144"), "{refused}");
}

#[test]
fn an_opaque_object_lives_and_dies_as_a_key_does() {
    let activated = AttributeValue::ActivationDate(DateTime(NOW.0 - 5));
    let usage = AttributeValue::CryptographicUsageMask(CryptographicUsageMask::ENCRYPT);
    let attributes = vec![usage.into(), activated.into()];
    let opaque = OpaqueDataType::from(0x8012_3456);
    let draft = KeyDraft::opaque_object(Uuid::nil(), Uuid::nil(), opaque, 16, attributes, NOW);
    let mut object = draft.unwrap().finish([7; 32]);
    assert_eq!(object.state(NOW), Some(State::Active));
    assert_eq!(object.usage_mask(), Some(CryptographicUsageMask::ENCRYPT));
    assert!(!object.is_aes());
    let reason = RevocationReason {
        code: RevocationReasonCode::Unspecified,
        message: None,
    };
    object.revoke(reason, None, NOW).unwrap();
    object.destroy(NOW).unwrap();
    assert!(object.is_destroyed());
}
