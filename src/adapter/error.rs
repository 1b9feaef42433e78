//! What is wrong with a name, an identifier or a certificate: what was expected, and what came.

/// A value that breaks a rule of this module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name or description is too short or too long.
    #[error("{what} must be {shortest} to {longest} characters long, and this one has {length}")]
    Length {
        /// The value that was checked, as a noun with its article.
        what: &'static str,
        /// The least number of characters.
        shortest: usize,
        /// The greatest number of characters.
        longest: usize,
        /// The number that came.
        length: usize,
    },
    /// A name has a character that names may not have.
    #[error("{what} may have {allowed} only, and {name:?} has {found:?} at position {position}")]
    Character {
        /// The value that was checked, as a noun with its article.
        what: &'static str,
        /// The characters that are allowed, in words.
        allowed: &'static str,
        /// The name that came.
        name: String,
        /// The first character that is not allowed.
        found: char,
        /// Its place, counted in characters from 1.
        position: usize,
    },
    /// A text that is not to be shown has a control character in it.
    #[error("{what} must not have control characters in it")]
    ControlCharacter {
        /// The value that was checked, as a noun with its article.
        what: &'static str,
    },
    /// A certificate that should be an authority's is none.
    #[error(
        "expected the certificate of an authority (CA:TRUE), and that of {subject} is none; admit it by itself"
    )]
    NotAnAuthority {
        /// Its subject.
        subject: String,
    },
    /// A restriction that no certificate can meet.
    #[error("{expected}, and {text:?} is not")]
    NotARestriction {
        /// What was expected, as a sentence.
        expected: &'static str,
        /// The text that came.
        text: String,
    },
    /// A name has the form of an identifier, so that a command could not tell which is meant.
    #[error("{what} must not have the form of a UUID, and {name:?} has it")]
    NameIsUuid {
        /// The value that was checked, as a noun with its article.
        what: &'static str,
        /// The name that came.
        name: String,
    },
    /// A text that should be an identifier is none.
    #[error("{what} is a UUID such as 01234567-89ab-7def-8123-456789abcdef, and {text:?} is not one")]
    NotAnIdentifier {
        /// The value that was read, as a noun with its article.
        what: &'static str,
        /// The text that came.
        text: String,
    },
    /// A text that should be a fingerprint is none.
    #[error(
        "a fingerprint is 64 hexadecimal digits (the SHA-256 of a certificate's DER), and {text:?} is not"
    )]
    NotAFingerprint {
        /// The text that came.
        text: String,
    },
    /// A text that should be a role is none.
    #[error("a role is auditor, operator or administrator, and {text:?} is none of them")]
    NotARole {
        /// The text that came.
        text: String,
    },
    /// The bytes are no X.509 certificate.
    #[error("expected one X.509 certificate in {form}, but {why}")]
    NotACertificate {
        /// PEM or DER.
        form: &'static str,
        /// What came instead.
        why: String,
    },
    /// Not exactly one certificate came.
    #[error("expected exactly one certificate, and the PEM has {count}; add each one by itself")]
    CertificateCount {
        /// How many came.
        count: usize,
    },
    /// A private key came along with, or instead of, the certificate.
    #[error(
        "the PEM has a private key in it ({label}); give the certificate alone, and treat that key as disclosed \
         if this file was sent anywhere"
    )]
    PrivateKey {
        /// The PEM label of the block.
        label: String,
    },
    /// A bound that would let nothing through.
    #[error(
        "a quota of no {what} lets nobody work; leave it unset, or take the adapter's certificates out \
         (`claviger certificate remove`)"
    )]
    QuotaOfNone {
        /// What would be bounded.
        what: &'static str,
    },
    /// A bound beyond what can be counted.
    #[error(
        "a quota is at most {} keys, and this one has {found}",
        super::Quota::MOST_KEYS
    )]
    QuotaTooLarge {
        /// The number that came.
        found: u64,
    },
}
