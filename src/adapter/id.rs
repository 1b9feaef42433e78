//! Identifiers. Each kind is a type of its own, so that one is never taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;

macro_rules! identifier {
    ($(#[$documentation:meta])* $name:ident, $what:literal) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, of version 7, so that identifiers sort by the time they were made.
            #[allow(clippy::new_without_default, reason = "each call gives another value")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| Error::NotAnIdentifier { what: $what, text: text.to_owned() })
            }
        }
    };
}

identifier! {
    /// Names an [`Adapter`](super::Adapter) for as long as anything refers to it.
    AdapterId, "an adapter's identifier"
}

identifier! {
    /// Names a [`RootKey`](super::RootKey), over all its versions.
    RootKeyId, "a root key's identifier"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_written_with_hyphens_and_read_back() {
        let id = AdapterId::new();
        assert_eq!(id.to_string().len(), 36);
        assert_eq!(id.to_string().parse::<AdapterId>(), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{id}\""));
    }

    #[test]
    fn a_text_that_is_no_identifier_is_named_in_the_error() {
        let error = "vcenter".parse::<RootKeyId>().unwrap_err();
        assert!(error.to_string().contains("\"vcenter\" is not one"), "{error}");
    }
}
