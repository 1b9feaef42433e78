use super::*;
use crate::key::testing::named;
use crate::kmip::enumeration::KeyFormatType;

fn group(name: &str) -> Attribute {
    AttributeValue::ObjectGroup(name.into()).into()
}

fn length(bits: i32) -> Attribute {
    AttributeValue::CryptographicLength(bits).into()
}

fn algorithm(algorithm: Algorithm) -> Attribute {
    AttributeValue::CryptographicAlgorithm(algorithm).into()
}

#[test]
fn the_request_goes_before_its_templates_and_the_last_template_before_the_first() {
    let templates = vec![vec![length(128), group("a")], vec![length(192), group("b")]];
    let merged = merge(templates.clone(), Vec::new()).unwrap();
    assert_eq!(merged, [length(192), group("a"), group("b")]);
    let merged = merge(templates, vec![length(256), group("a")]).unwrap();
    assert_eq!(merged, [length(256), group("a"), group("b")]);
}

#[test]
fn two_values_of_an_attribute_that_has_one_are_refused() {
    assert!(matches!(
        merge(Vec::new(), vec![length(128), length(256)]),
        Err(AttributeError::Several { .. })
    ));
}

#[test]
fn a_template_lends_no_name_and_nothing_of_the_server() {
    assert!(matches!(
        lendable(vec![named("n")]),
        Err(AttributeError::Invalid { .. })
    ));
    assert!(matches!(
        lendable(vec![AttributeValue::LeaseTime(1).into()]),
        Err(AttributeError::ReadOnly { .. })
    ));
    assert!(matches!(
        lendable(vec![AttributeValue::CertificateLength(1).into()]),
        Err(AttributeError::ReadOnly { .. } | AttributeError::NotApplicable { .. })
    ));
    let lent = vec![algorithm(Algorithm::AES), length(128), group("g")];
    assert_eq!(lendable(lent.clone()), Ok(lent));
}

#[test]
fn a_key_has_the_length_that_its_algorithm_allows() {
    let bytes = |of: Algorithm, bits: Option<i32>| {
        let attributes: Vec<_> = [algorithm(of)].into_iter().chain(bits.map(length)).collect();
        shape(Origin::Created, &attributes).map(|shape| shape.bytes)
    };
    assert_eq!(bytes(Algorithm::AES, Some(192)).ok(), Some(24));
    assert_eq!(bytes(Algorithm::AES, None).ok(), Some(32));
    assert_eq!(bytes(Algorithm::DES3, Some(168)).ok(), Some(24));
    assert_eq!(bytes(Algorithm::HMAC_SHA512, None).ok(), Some(64));
    for (of, bits) in [
        (Algorithm::AES, 0),
        (Algorithm::AES, -256),
        (Algorithm::AES, 512),
        (Algorithm::HMAC_SHA256, i32::MAX),
        (Algorithm::HMAC_SHA256, 100),
        (Algorithm::RSA, 2048),
    ] {
        assert!(
            matches!(bytes(of, Some(bits)), Err(AttributeError::Invalid { .. })),
            "{of} {bits}"
        );
    }
    assert!(matches!(
        shape(Origin::Created, &[]),
        Err(AttributeError::Missing { .. })
    ));
}

#[test]
fn a_registered_key_is_what_its_key_block_says_it_is() {
    let registered = |algorithm, length, bytes| Origin::Registered {
        format: KeyFormatType::Raw,
        algorithm,
        length,
        bytes,
    };
    let aes = Some(Algorithm::AES);
    assert_eq!(
        shape(registered(aes, Some(128), 16), &[])
            .map(|shape| shape.length)
            .ok(),
        Some(Some(128))
    );
    assert!(shape(registered(aes, Some(128), 16), &[length(256)]).is_err());
    assert!(shape(registered(aes, Some(128), 17), &[]).is_err());
    assert!(shape(registered(aes, None, 16), &[]).is_ok());
    assert!(
        shape(
            registered(None, None, usize::MAX / 16),
            &[algorithm(Algorithm::AES)]
        )
        .is_err()
    );
}
