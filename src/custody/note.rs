//! Signed notes (C2SP signed-note): a text, and who signed it.
//!
//! Keys sign here in three ways: Ed25519 and ECDSA with P-256 over the text, as a log does, and the timestamped Ed25519
//! cosignature of a witness (C2SP tlog-cosignature). Signing itself is done where the key is; what is to be signed is said
//! here, and what came back is verified.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The most signatures that a note is read with.
const SIGNATURES: usize = 64;
/// The most bytes that a note is read from.
const LONGEST_NOTE: usize = 256 * 1024;
/// What begins each line of a signature.
const DASH: &str = "\u{2014} ";

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureType {
    /// Ed25519 (RFC 8032) over the text: type `0x01`.
    Ed25519,
    /// ECDSA with P-256 and SHA-256 over the text, in DER: type `0x02`.
    EcdsaP256,
    /// Ed25519 over the text of a checkpoint and the time, by a witness: type `0x04`.
    Cosignature,
}

impl SignatureType {
    const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::EcdsaP256 => 0x02,
            Self::Cosignature => 0x04,
        }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::EcdsaP256 => "ECDSA P-256",
            Self::Cosignature => "Ed25519 cosignature",
        }
    }
}

/// Text that is no note, or no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The bytes are no note.
    #[error("this is no signed note: {0}")]
    NotANote(&'static str),
    /// The text is no verifier key.
    #[error("{0:?} is no verifier key, NAME+HASH+KEY: {1}")]
    NotAKey(String, &'static str),
    /// The name can't be one of a key.
    #[error("{0:?} can't name a key: it is empty, or has white space or + in it")]
    Name(String),
    /// A known key's signature is not one of the text.
    #[error("the signature by {0} is not one of this text: the text was changed, or the signature forged")]
    Forged(String),
    /// No known key signed.
    #[error("nobody who is known signed it")]
    Unsigned,
}

/// A key that signatures are verified with; as text, `NAME+HASH+KEY`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    signature_type: SignatureType,
    key: Vec<u8>,
}

impl VerifierKey {
    /// A key of this name. `key` is the 32 bytes of an Ed25519 key (RFC 8032), or the `SubjectPublicKeyInfo` of a P-256 key
    /// in DER (RFC 5480).
    pub fn new(name: &str, signature_type: SignatureType, key: &[u8]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Name(name.to_owned()));
        }
        let unusable = |why| NoteError::NotAKey(name.to_owned(), why);
        match signature_type {
            SignatureType::Ed25519 | SignatureType::Cosignature => {
                ed25519(key).ok_or_else(|| unusable("its key is none of Ed25519"))?;
            }
            SignatureType::EcdsaP256 => {
                p256_key(key)
                    .ok_or_else(|| unusable("its key is none of P-256, as SubjectPublicKeyInfo in DER"))?;
            }
        }
        Ok(Self {
            name: name.to_owned(),
            id: id(name, signature_type, key),
            signature_type,
            key: key.to_vec(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What signatures name it by, beside its name.
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// How it signs.
    pub const fn signature_type(&self) -> SignatureType {
        self.signature_type
    }

    /// The public key, as [`new`](Self::new) takes it.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// A signature as a line of a note has it. Of a P-256 key, in DER.
    pub fn signature(&self, signature: Vec<u8>) -> NoteSignature {
        NoteSignature {
            name: self.name.clone(),
            id: self.id,
            signature,
        }
    }

    /// Whether this is the key that made a signature, by its own words.
    pub fn is_named_by(&self, signature: &NoteSignature) -> bool {
        self.id == signature.id && self.name == signature.name
    }

    /// Whether the signature is one of the text. Of a cosignature, when it was made (seconds since 1970).
    pub fn verify(&self, text: &str, signature: &[u8]) -> Option<Signed> {
        match self.signature_type {
            SignatureType::Ed25519 => self
                .verify_ed25519(text.as_bytes(), signature)
                .then_some(Signed { time: None }),
            SignatureType::EcdsaP256 => {
                use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
                let signature = p256::ecdsa::DerSignature::from_bytes(signature).ok()?;
                let digest = Sha256::digest(text.as_bytes());
                let verified = p256_key(&self.key)?.verify_prehash(&digest, &signature);
                verified.is_ok().then_some(Signed { time: None })
            }
            SignatureType::Cosignature => {
                let (time, signature) = signature.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                let signed = i64::try_from(time).is_ok()
                    && self.verify_ed25519(cosigned(text, time).as_bytes(), signature);
                signed.then_some(Signed { time: Some(time) })
            }
        }
    }

    fn verify_ed25519(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature);
        let key = ed25519(&self.key);
        key.zip(signature.ok())
            .is_some_and(|(key, signature)| key.verify_strict(message, &signature).is_ok())
    }
}

/// A signature that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// When a witness made it, in seconds since 1970; none of a log's.
    pub time: Option<u64>,
}

/// What a witness signs of a checkpoint's text at a time, in seconds since 1970 (C2SP tlog-cosignature).
pub fn cosigned(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

fn ed25519(key: &[u8]) -> Option<ed25519_dalek::VerifyingKey> {
    ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()
}

fn p256_key(key: &[u8]) -> Option<p256::ecdsa::VerifyingKey> {
    use p256::pkcs8::DecodePublicKey as _;
    p256::ecdsa::VerifyingKey::from_public_key_der(key).ok()
}

fn id(name: &str, signature_type: SignatureType, key: &[u8]) -> [u8; 4] {
    let mut hasher = Sha256::new();
    // For ECDSA the key alone is hashed: "Signature types" of signed-note.
    if signature_type != SignatureType::EcdsaP256 {
        hasher.update(name);
        hasher.update([b'\n', signature_type.byte()]);
    }
    hasher.update(key);
    let [a, b, c, d, ..]: [u8; 32] = hasher.finalize().into();
    [a, b, c, d]
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|character| character.is_whitespace() || character.is_control() || character == '+')
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[self.signature_type.byte()], &self.key[..]].concat();
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(self.id),
            STANDARD.encode(key)
        )
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let wrong = |why| NoteError::NotAKey(text.to_owned(), why);
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("it has not three parts"));
        };
        let key = STANDARD.decode(key).map_err(|_| wrong("its key is no base64"))?;
        let (first, key) = key.split_first().ok_or_else(|| wrong("its key is empty"))?;
        let all = [
            SignatureType::Ed25519,
            SignatureType::EcdsaP256,
            SignatureType::Cosignature,
        ];
        let signature_type = all
            .into_iter()
            .find(|each| each.byte() == *first)
            .ok_or_else(|| wrong("it is of a kind that is not known here"))?;
        let read = Self::new(name, signature_type, key)?;
        if hex::encode(read.id) != id {
            return Err(wrong("its hash is not the one of its name and key"));
        }
        Ok(read)
    }
}

/// One signature of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key that made it, by its own words.
    pub name: String,
    /// The key's identifier.
    pub id: [u8; 4],
    /// The signature, as its key's type has it.
    pub signature: Vec<u8>,
}

/// A line of a note, with its line feed.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = [&self.id[..], &self.signature].concat();
        writeln!(f, "{DASH}{} {}", self.name, STANDARD.encode(signature))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    /// Reads a line without its line feed.
    fn from_str(line: &str) -> Result<Self, NoteError> {
        let wrong = NoteError::NotANote("a line of a signature is not — NAME SIGNATURE");
        let parts = line.strip_prefix(DASH).and_then(|rest| rest.split_once(' '));
        let (name, signature) = parts
            .filter(|(name, _)| is_name(name))
            .ok_or_else(|| wrong.clone())?;
        let bytes = STANDARD.decode(signature).map_err(|_| wrong.clone())?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or_else(|| wrong.clone())?;
        if signature.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            name: name.to_owned(),
            id: *id,
            signature: signature.to_vec(),
        })
    }
}

/// A text and its signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    /// What is signed, with its last line feed.
    pub text: String,
    /// By whom.
    pub signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// Which of these keys signed it. Refused where a known key's signature does not hold, or none of them signed.
    pub fn verified_by<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<Vec<(&'k VerifierKey, Signed)>, NoteError> {
        let mut signed = Vec::new();
        for key in keys {
            for signature in self
                .signatures
                .iter()
                .filter(|signature| key.is_named_by(signature))
            {
                let verified = key
                    .verify(&self.text, &signature.signature)
                    .ok_or_else(|| NoteError::Forged(key.name.clone()))?;
                signed.push((key, verified));
            }
        }
        if signed.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(signed)
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| write!(f, "{signature}"))
    }
}

impl FromStr for SignedNote {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > LONGEST_NOTE {
            return Err(NoteError::NotANote("it is too long"));
        }
        if note.chars().any(|character| character < ' ' && character != '\n') {
            return Err(NoteError::NotANote("it has control characters in it"));
        }
        let split = note
            .rfind("\n\n")
            .ok_or(NoteError::NotANote("no empty line stands before its signatures"))?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let lines = signatures
            .strip_suffix('\n')
            .ok_or(NoteError::NotANote("it does not end with a line of a signature"))?;
        let signatures: Vec<NoteSignature> = lines.split('\n').map(str::parse).collect::<Result<_, _>>()?;
        if signatures.len() > SIGNATURES {
            return Err(NoteError::NotANote("it has too many signatures"));
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of signed-note.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn a_note_that_others_signed_is_verified_and_written_as_it_was() {
        let key: VerifierKey = KEY.parse().unwrap();
        assert_eq!(key.to_string(), KEY);
        let note: SignedNote = NOTE.parse().unwrap();
        assert_eq!(note.to_string(), NOTE);
        assert_eq!(note.text, "This is an example message.\n");
        let signed = note.verified_by([&key]).unwrap();
        assert_eq!(signed, [(&key, Signed { time: None })]);
    }

    /// The first example of signed-note, whose text has no key beside it, and that of tlog-cosignature.
    #[test]
    fn the_examples_of_the_formats_are_read_and_written_as_they_were() {
        let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\
            ed \u{e8} subito sera.\n\n\u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/\
            5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
        let note: SignedNote = poem.parse().unwrap();
        assert_eq!(note.to_string(), poem);
        assert!(note.text.ends_with("sera.\n"));
        assert_eq!(note.signatures[0].id, [0x36, 0x7b, 0xa0, 0x4b]);
        assert_eq!(note.signatures[0].signature.len(), 64);

        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let line = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXE\
            hZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==";
        let signature: NoteSignature = line.parse().unwrap();
        assert_eq!(signature.to_string(), format!("{line}\n"));
        let (time, signature) = signature.signature.split_first_chunk::<8>().unwrap();
        let time = u64::from_be_bytes(*time);
        assert_eq!((time, signature.len()), (1_679_315_147, 64));
        assert_eq!(
            cosigned(text, time),
            format!("cosignature/v1\ntime 1679315147\n{text}")
        );
    }

    #[test]
    fn a_changed_text_and_a_forged_signature_are_told_from_an_unknown_signer() {
        let key: VerifierKey = KEY.parse().unwrap();
        let changed: SignedNote = NOTE
            .replace("example message", "example massage")
            .parse()
            .unwrap();
        assert_eq!(
            changed.verified_by([&key]),
            Err(NoteError::Forged("example.com/foo".into()))
        );
        let unknown: SignedNote = NOTE.replace("com/foo U", "com/bar U").parse().unwrap();
        assert_eq!(unknown.verified_by([&key]), Err(NoteError::Unsigned));
    }

    #[test]
    fn what_is_no_note_or_no_key_is_refused() {
        for text in [
            "",
            "\n\n",
            "text\n",
            "text\n\n",
            "text\n\n\u{2014} name\n",
            "te\u{1}xt\n\n\u{2014} a AAAAAAA=\n",
        ] {
            assert!(text.parse::<SignedNote>().is_err(), "{text:?}");
        }
        for text in [
            "",
            "a+b",
            &KEY.replace("530d903a", "530d903b"),
            &KEY.replace("+Aek", "+Cek"),
            "a+00000000+AQ==",
        ] {
            assert!(text.parse::<VerifierKey>().is_err(), "{text:?}");
        }
    }
}
