//! Keys and templates as they travel, and how keys are wrapped.

use std::borrow::Cow;

use claviger::kmip::enumeration::{
    CryptographicAlgorithm, EncodingOption, KeyFormatType, OpaqueDataType, SecretDataType, WrappingMethod,
};
use claviger::kmip::object::{
    KeyBlock, KeyInformation, KeyMaterial, KeyValue, KeyWrappingData, KeyWrappingSpecification, Object,
    OpaqueObject, SecretData,
};
use claviger::kmip::tag::Tag;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::attributes::{attribute_name, attributes, parameters};
use super::{Scope, bytes, one_of, text};

fn key_information(scope: Scope) -> impl Strategy<Value = KeyInformation> + 'static {
    (text(), option::of(parameters(scope).prop_map(Box::new))).prop_map(
        |(unique_identifier, cryptographic_parameters)| KeyInformation {
            unique_identifier,
            cryptographic_parameters,
        },
    )
}

fn wrapping_data(scope: Scope) -> impl Strategy<Value = KeyWrappingData> + 'static {
    (
        one_of::<WrappingMethod>(scope),
        option::of(key_information(scope)),
        option::of(key_information(scope)),
        option::of(bytes()),
        scope.optional(Tag::ENCODING_OPTION, one_of::<EncodingOption>(scope)),
    )
        .prop_map(
            |(wrapping_method, encryption, signature, bytes, encoding_option)| KeyWrappingData {
                wrapping_method,
                encryption_key_information: encryption,
                mac_signature_key_information: signature,
                mac_signature: bytes.clone(),
                iv_counter_nonce: bytes,
                encoding_option,
            },
        )
}

pub(super) fn wrapping_specification(
    scope: Scope,
) -> impl Strategy<Value = KeyWrappingSpecification> + 'static {
    (wrapping_data(scope), vec(attribute_name(scope), 0..3)).prop_map(|(data, attribute_names)| {
        KeyWrappingSpecification {
            wrapping_method: data.wrapping_method,
            encryption_key_information: data.encryption_key_information,
            mac_signature_key_information: data.mac_signature_key_information,
            attribute_names,
            encoding_option: data.encoding_option,
        }
    })
}

fn key_block(scope: Scope) -> impl Strategy<Value = KeyBlock<'static>> {
    let format = select(
        &[
            KeyFormatType::Raw,
            KeyFormatType::Opaque,
            KeyFormatType::TransparentSymmetricKey,
        ][..],
    );
    let algorithm = option::of(one_of::<CryptographicAlgorithm>(scope));
    let wrapping = option::of(wrapping_data(scope));
    (
        format,
        bytes(),
        attributes(scope),
        any::<bool>(),
        algorithm,
        wrapping,
    )
        .prop_map(
            |(key_format_type, bytes, attributes, in_structure, cryptographic_algorithm, wrapping)| {
                let material = KeyMaterial::Bytes(Cow::Owned(bytes));
                let key_value = match (&wrapping, in_structure) {
                    (Some(_), false) => KeyValue::Bytes(material),
                    _ => KeyValue::Structure {
                        material,
                        attributes: attributes.into(),
                    },
                };
                KeyBlock {
                    key_format_type,
                    key_compression_type: None,
                    key_value: Some(key_value),
                    cryptographic_algorithm,
                    cryptographic_length: cryptographic_algorithm.map(|_| 256),
                    key_wrapping_data: wrapping.map(Box::new),
                }
            },
        )
}

/// An object. From 2.0 on there are no templates.
pub(super) fn object(scope: Scope) -> BoxedStrategy<Object<'static>> {
    let key = key_block(scope).prop_map(Object::SymmetricKey);
    let secret = (one_of::<SecretDataType>(scope), key_block(scope))
        .prop_map(|(data_type, key_block)| Object::SecretData(SecretData { data_type, key_block }));
    let opaque = (one_of::<OpaqueDataType>(scope), bytes()).prop_map(|(data_type, value)| {
        Object::OpaqueObject(OpaqueObject {
            data_type,
            value: KeyMaterial::Bytes(Cow::Owned(value)),
        })
    });
    if scope.is_2_x() {
        prop_oneof![key, secret, opaque].boxed()
    } else {
        let template = attributes(scope).prop_map(Object::Template);
        prop_oneof![key, secret, opaque, template].boxed()
    }
}
