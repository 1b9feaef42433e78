//! What operators type, as values of the protocol.

use std::fmt::Display;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, Name};
use crate::kmip::enumeration::{CryptographicAlgorithm, RevocationReasonCode, State};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::ttlv::DateTime;

/// `a, b, c`
pub(super) fn listed<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    values
        .into_iter()
        .map(|value| value.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

/// `text` without what people write differently: case, blanks, hyphens.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn one_of<T: Copy + Display>(text: &str, all: &[T]) -> Result<T, String> {
    all.iter()
        .copied()
        .find(|value| plain(&value.to_string()) == plain(text))
        .ok_or_else(|| format!("expected one of {}", listed(all)))
}

pub(super) fn algorithm(text: &str) -> Result<CryptographicAlgorithm, String> {
    one_of(text, CryptographicAlgorithm::ALL)
}

pub(super) fn state(text: &str) -> Result<State, String> {
    one_of(text, State::ALL)
}

pub(super) fn revocation_reason(text: &str) -> Result<RevocationReasonCode, String> {
    one_of(text, RevocationReasonCode::ALL)
}

/// One bit of the Cryptographic Usage Mask.
pub(super) fn usage(text: &str) -> Result<CryptographicUsageMask, String> {
    let known = CryptographicUsageMask::NAMES;
    known
        .iter()
        .find(|(_, name)| plain(name) == plain(text))
        .map(|(mask, _)| *mask)
        .ok_or_else(|| format!("expected one of {}", listed(known.iter().map(|(_, name)| name))))
}

/// A custom attribute that holds a text, `x-Name=value`.
pub(super) fn custom_attribute(text: &str) -> Result<Attribute, String> {
    match text.split_once('=') {
        Some((name, value)) if name.starts_with("x-") && name.len() > 2 => {
            Ok(Attribute::custom_text(name, value))
        }
        _ => Err("expected x-NAME=TEXT".to_owned()),
    }
}

/// The name of an attribute, with the case of the specification's forgiven.
pub(super) fn attribute_name(text: &str) -> AttributeName {
    let known = AttributeKind::ALL
        .iter()
        .find(|kind| plain(kind.text()) == plain(text));
    known.map_or_else(
        || AttributeName::from_text(text),
        |kind| AttributeName::Standard(*kind),
    )
}

pub(super) fn name(text: &str) -> Name {
    Name::text(text)
}

/// An RFC 3339 time.
pub(super) fn date(text: &str) -> Result<DateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(DateTime::from)
        .map_err(|_| "expected a time as 2026-11-24T08:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_specification_are_taken_as_people_type_them() {
        assert_eq!(state("pre-active"), Ok(State::PreActive));
        assert_eq!(state("PreActive"), Ok(State::PreActive));
        assert_eq!(algorithm("aes"), Ok(CryptographicAlgorithm::AES));
        assert_eq!(
            revocation_reason("key-compromise"),
            Ok(RevocationReasonCode::KeyCompromise)
        );
        assert_eq!(usage("wrap-key"), Ok(CryptographicUsageMask::WRAP_KEY));
        assert!(state("activ").unwrap_err().contains("Pre-Active"));
        assert_eq!(
            attribute_name("state"),
            AttributeName::Standard(AttributeKind::State)
        );
        assert_eq!(
            attribute_name("x-State"),
            AttributeName::Other("x-State".to_owned())
        );
    }

    #[test]
    fn a_custom_attribute_keeps_every_character_of_its_value() {
        let attribute = custom_attribute("x-Name=a=b Büro\t\"7\"").unwrap();
        assert_eq!(attribute, Attribute::custom_text("x-Name", "a=b Büro\t\"7\""));
        for wrong in ["x-Name", "Name=b", "y-Name=b", "x-=b", "=b"] {
            assert!(custom_attribute(wrong).is_err(), "{wrong}");
        }
    }
}
