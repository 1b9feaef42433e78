//! User names and passwords of KMIP clients, which an adapter can ask for beside the certificate.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::Error;
use super::name::characters;

/// The most characters of a user name.
pub const USERNAME_LONGEST: usize = 255;
/// The fewest characters of a password that somebody brings.
pub const PASSWORD_SHORTEST: usize = 12;
/// The most characters of a password.
pub const PASSWORD_LONGEST: usize = 255;
/// The most users that an adapter has.
pub const USERS_AT_MOST: usize = 64;

/// The users of an adapter, and whether one has to be shown. One document, so that its seal holds them together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Whether a request without the password of one of them is refused.
    pub required: bool,
    /// The users, in the order in which they were added.
    pub users: Vec<PasswordUser>,
}

/// A user, known by a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordUser {
    /// The user's name, which no other user of the adapter has.
    pub username: String,
    /// What the password is known by.
    pub password: PasswordHash,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
    /// Who added it.
    pub added_by: String,
}

/// Argon2id of a password (RFC 9106), and what it was made with.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordHash {
    /// The memory that it takes, in KiB.
    pub memory_kib: u32,
    /// How often it goes over that memory.
    pub passes: u32,
    /// In how many lanes.
    pub lanes: u32,
    /// The salt, in hexadecimal.
    pub salt: String,
    /// The result, in hexadecimal.
    pub hash: String,
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

impl Credentials {
    /// Reads them as they are kept; nobody, where nothing is kept.
    ///
    /// # Errors
    /// A document that is not one of these.
    pub fn from_document(document: Option<&[u8]>) -> Result<Self, serde_json::Error> {
        document.map_or_else(|| Ok(Self::default()), serde_json::from_slice)
    }

    /// As they are kept; nothing, where there is nobody.
    ///
    /// # Errors
    /// A time beyond the year 9999.
    pub fn to_document(&self) -> Result<Option<Vec<u8>>, serde_json::Error> {
        if self.users.is_empty() {
            return Ok(None);
        }
        serde_json::to_vec(self).map(Some)
    }

    /// The user of this name.
    pub fn user(&self, username: &str) -> Option<&PasswordUser> {
        self.users.iter().find(|user| user.username == username)
    }
}

/// A user name: 1 to 255 characters, none of them a control character.
///
/// # Errors
/// A name that breaks the rule.
pub fn username(text: &str) -> Result<String, Error> {
    bounded("a user name", text, 1, USERNAME_LONGEST)
}

/// A password that somebody brings: 12 to 255 characters, none of them a control character.
///
/// # Errors
/// What breaks the rule, without the password.
pub fn check_password(text: &str) -> Result<(), Error> {
    const WHAT: &str = "a password";
    bounded(WHAT, text, PASSWORD_SHORTEST, PASSWORD_LONGEST)
        .map(drop)
        .map_err(|error| match error {
            // The text of the error would have the password in it.
            Error::Character { .. } => Error::ControlCharacter { what: WHAT },
            other => other,
        })
}

fn bounded(what: &'static str, text: &str, shortest: usize, longest: usize) -> Result<String, Error> {
    let length = text.chars().count();
    if !(shortest..=longest).contains(&length) {
        return Err(Error::Length {
            what,
            shortest,
            longest,
            length,
        });
    }
    characters(what, "text without control characters", text, |c| !c.is_control())?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_refused_is_not_told() {
        for (password, expected) in [
            ("short", "12 to 255 characters"),
            ("long enough\u{7} and rung", "control characters"),
        ] {
            let said = check_password(password).unwrap_err().to_string();
            assert!(said.contains(expected) && !said.contains(password), "{said}");
            assert!(!said.contains("rung"), "{said}");
        }
        assert_eq!(check_password("correct horse battery staple"), Ok(()));
    }

    #[test]
    fn an_adapter_without_users_keeps_nothing() {
        let none = Credentials::default();
        assert_eq!(none.to_document().unwrap(), None);
        assert_eq!(Credentials::from_document(None).unwrap(), none);
    }
}
