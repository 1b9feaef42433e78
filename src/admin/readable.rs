//! KMIP attributes in the words of the specification, for people.

use std::fmt::Display;

use super::api;
use crate::kmip::attribute::{Attribute, AttributeValue};
use crate::kmip::ttlv::Value;

/// An attribute as [`api::Attribute`]. An instance other than the first has its index behind the name.
pub fn readable(attribute: &Attribute) -> api::Attribute {
    let name = attribute.name();
    api::Attribute {
        name: match attribute.index.filter(|index| *index > 0) {
            Some(index) => format!("{name} [{index}]"),
            None => name.to_string(),
        },
        value: value_text(&attribute.value),
    }
}

/// The value alone: times as RFC 3339, enumerations by the specification's names, bytes in hexadecimal.
pub fn value_text(value: &AttributeValue) -> String {
    use AttributeValue as A;
    match value {
        A::UniqueIdentifier(text)
        | A::OperationPolicyName(text)
        | A::ObjectGroup(text)
        | A::ContactInformation(text)
        | A::PKCS_12FriendlyName(text)
        | A::Description(text)
        | A::Comment(text) => text.clone(),
        A::Name(name) => name.value.clone(),
        A::AlternativeName(name) => format!("{} ({})", name.value, name.name_type),
        A::KeyValueLocation(location) => format!("{} ({})", location.value, location.location_type),
        A::ObjectType(value) => value.to_string(),
        A::CryptographicAlgorithm(value) => value.to_string(),
        A::CertificateType(value) => value.to_string(),
        A::DigitalSignatureAlgorithm(value) => value.to_string(),
        A::State(value) => value.to_string(),
        A::CryptographicLength(value) | A::CertificateLength(value) => value.to_string(),
        A::CryptographicUsageMask(mask) => mask.to_string(),
        A::LeaseTime(seconds) => format!("{seconds} s"),
        A::InitialDate(date)
        | A::ActivationDate(date)
        | A::ProcessStartDate(date)
        | A::ProtectStopDate(date)
        | A::DeactivationDate(date)
        | A::DestroyDate(date)
        | A::CompromiseOccurrenceDate(date)
        | A::CompromiseDate(date)
        | A::ArchiveDate(date)
        | A::LastChangeDate(date)
        | A::OriginalCreationDate(date) => date.to_string(),
        A::Fresh(value)
        | A::KeyValuePresent(value)
        | A::Sensitive(value)
        | A::AlwaysSensitive(value)
        | A::Extractable(value)
        | A::NeverExtractable(value) => value.to_string(),
        A::Digest(digest) => {
            let bytes = digest
                .digest_value
                .as_deref()
                .map(hex::encode)
                .unwrap_or_default();
            format!("{} {bytes}", digest.hashing_algorithm)
        }
        A::UsageLimits(limits) => match limits.count {
            Some(left) => format!("{left} of {} left, {}", limits.total, limits.unit),
            None => format!("{} {}", limits.total, limits.unit),
        },
        A::RevocationReason(reason) => match &reason.message {
            Some(message) => format!("{}: {message}", reason.code),
            None => reason.code.to_string(),
        },
        A::Link(link) => format!("{} {}", link.link_type, link.linked_object_identifier),
        A::ApplicationSpecificInformation(information) => format!(
            "{}: {}",
            information.application_namespace,
            information.application_data.as_deref().unwrap_or_default()
        ),
        A::CryptographicParameters(parameters) => joined([
            text_of(parameters.block_cipher_mode),
            text_of(parameters.padding_method),
            text_of(parameters.hashing_algorithm),
            text_of(parameters.key_role_type),
            text_of(parameters.digital_signature_algorithm),
            text_of(parameters.cryptographic_algorithm),
        ]),
        A::CryptographicDomainParameters(parameters) => joined([
            parameters.qlength.map(|length| format!("{length} bits")),
            text_of(parameters.recommended_curve),
        ]),
        A::RandomNumberGenerator(generator) => joined([
            Some(generator.rng_algorithm.to_string()),
            text_of(generator.drbg_algorithm),
            text_of(generator.cryptographic_algorithm),
            text_of(generator.hashing_algorithm),
        ]),
        A::KeyFormatType(value) => value.to_string(),
        A::NISTKeyType(value) => value.to_string(),
        A::OpaqueDataType(value) => value.to_string(),
        A::ProtectionLevel(value) => value.to_string(),
        A::ProtectionStorageMask(mask) => mask.to_string(),
        A::RotateName(name) => name.value.clone(),
        A::X_509CertificateIdentifier(value)
        | A::X_509CertificateSubject(value)
        | A::X_509CertificateIssuer(value)
        | A::CertificateIdentifier(value)
        | A::CertificateSubject(value)
        | A::CertificateIssuer(value)
        | A::Other { value, .. } => item_text(value),
        plain => item_text(&plain.to_tree()),
    }
}

fn item_text(value: &Value) -> String {
    match value {
        Value::Structure(items) => {
            let items = items
                .iter()
                .map(|item| format!("{}: {}", item.tag, item_text(&item.value)));
            format!("{{ {} }}", items.collect::<Vec<_>>().join(", "))
        }
        Value::Integer(value) => value.to_string(),
        Value::LongInteger(value) => value.to_string(),
        Value::BigInteger(bytes) | Value::ByteString(bytes) => hex::encode(bytes),
        Value::Enumeration(value) => format!("0x{value:08X}"),
        Value::Boolean(value) => value.to_string(),
        Value::TextString(text) => text.clone(),
        Value::DateTime(date) => date.to_string(),
        Value::Interval(seconds) => format!("{seconds} s"),
        Value::DateTimeExtended(microseconds) => format!("{microseconds} µs since 1970"),
    }
}

fn text_of(value: Option<impl Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::attribute::{Digest, RevocationReason};
    use crate::kmip::enumeration::{HashingAlgorithm, RevocationReasonCode, State};
    use crate::kmip::mask::CryptographicUsageMask;
    use crate::kmip::ttlv::DateTime;

    #[test]
    fn an_operator_reads_the_words_of_the_specification() {
        let text = |value| value_text(&value);
        assert_eq!(text(AttributeValue::State(State::PreActive)), "Pre-Active");
        assert_eq!(
            text(AttributeValue::ActivationDate(DateTime(0))),
            "1970-01-01T00:00:00Z"
        );
        let mask = CryptographicUsageMask::from_bits(12);
        assert_eq!(
            text(AttributeValue::CryptographicUsageMask(mask)),
            "Encrypt | Decrypt"
        );
        let digest = Digest {
            hashing_algorithm: HashingAlgorithm::SHA_256,
            digest_value: Some(vec![0xab, 0xcd]),
            key_format_type: None,
        };
        assert!(text(AttributeValue::Digest(digest)).ends_with(" abcd"));
        let reason = RevocationReason {
            code: RevocationReasonCode::KeyCompromise,
            message: Some("stolen".into()),
        };
        assert_eq!(
            text(AttributeValue::RevocationReason(reason)),
            "Key Compromise: stolen"
        );
    }

    #[test]
    fn another_instance_of_a_name_is_told_from_the_first() {
        let attribute = Attribute {
            index: Some(2),
            ..Attribute::custom_text("x-Name", "Büro")
        };
        assert_eq!(readable(&attribute).name, "x-Name [2]");
        assert_eq!(readable(&attribute).value, "Büro");
    }
}
