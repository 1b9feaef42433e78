//! The rules of names and descriptions. Those of adapters are the ones of Key Protect's `kmip_adapters`.

use uuid::Uuid;

use super::Error;

/// The fewest characters of a name.
pub const NAME_SHORTEST: usize = 2;
/// The most characters of a name.
pub const NAME_LONGEST: usize = 40;
/// The most characters of a description.
pub const DESCRIPTION_LONGEST: usize = 240;

const ALLOWED: &str = "letters and digits of ASCII, '-' and '_'";

/// An adapter's name: 2 to 40 of letters, digits, `-` and `_`, and not of the form of a UUID.
pub fn name(text: &str) -> Result<String, Error> {
    checked("an adapter's name", text)
}

/// A root key's name, by the same rule as an adapter's.
pub fn root_key_name(text: &str) -> Result<String, Error> {
    checked("a root key's name", text)
}

/// A certificate's name, by the same rule as an adapter's.
pub fn certificate_name(text: &str) -> Result<String, Error> {
    checked("a certificate's name", text)
}

/// An access token's name, by the same rule as an adapter's.
pub fn token_name(text: &str) -> Result<String, Error> {
    checked("a token's name", text)
}

/// A description: at most 240 characters, none of them a control character.
pub fn description(text: &str) -> Result<String, Error> {
    const WHAT: &str = "a description";
    let length = text.chars().count();
    if length > DESCRIPTION_LONGEST {
        return Err(Error::Length {
            what: WHAT,
            shortest: 0,
            longest: DESCRIPTION_LONGEST,
            length,
        });
    }
    characters(WHAT, "text without control characters", text, |c| !c.is_control())?;
    Ok(text.to_owned())
}

fn checked(what: &'static str, text: &str) -> Result<String, Error> {
    // The form of the characters first: of a pasted certificate, the length is not what is wrong.
    characters(what, ALLOWED, text, |c| {
        c.is_ascii_alphanumeric() || c == '-' || c == '_'
    })?;
    let length = text.chars().count();
    if Uuid::try_parse(text).is_ok() {
        return Err(Error::NameIsUuid {
            what,
            name: text.to_owned(),
        });
    }
    if !(NAME_SHORTEST..=NAME_LONGEST).contains(&length) {
        return Err(Error::Length {
            what,
            shortest: NAME_SHORTEST,
            longest: NAME_LONGEST,
            length,
        });
    }
    Ok(text.to_owned())
}

pub(super) fn characters(
    what: &'static str,
    allowed: &'static str,
    text: &str,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), Error> {
    match text.chars().enumerate().find(|(_, c)| !is_allowed(*c)) {
        None => Ok(()),
        Some((index, found)) => Err(Error::Character {
            what,
            allowed,
            name: text.chars().take(DESCRIPTION_LONGEST).collect(),
            found,
            position: index + 1,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_key_protect_takes_are_taken() {
        for good in ["ab", "vcenter-01", "VMware_East", &"x".repeat(40)] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
    }

    #[test]
    fn a_wrong_name_is_refused_with_what_was_expected_and_what_came() {
        let said = |text: &str| name(text).unwrap_err().to_string();
        assert_eq!(
            said("a"),
            "an adapter's name must be 2 to 40 characters long, and this one has 1"
        );
        assert!(said(&"x".repeat(41)).contains("has 41"));
        assert!(said("my vcenter").contains("' ' at position 3"));
        assert!(said("vcénter").contains("'é' at position 3"));
        assert!(said("9f3c5a1e-55c0-7d1a-8a67-4f6e1a2b3c4d").contains("form of a UUID"));
        assert!(said("9f3c5a1e55c07d1a8a674f6e1a2b3c4d").contains("form of a UUID"));
    }

    #[test]
    fn a_description_is_any_text_of_240_characters() {
        let longest = "é".repeat(240);
        assert_eq!(description(&longest), Ok(longest.clone()));
        assert!(description(&format!("{longest}x")).is_err());
        assert!(
            description("two\nlines")
                .unwrap_err()
                .to_string()
                .contains("'\\n' at position 4")
        );
        assert_eq!(description(""), Ok(String::new()));
    }
}
