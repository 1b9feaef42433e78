//! The proof of one record as a text that stands alone (C2SP tlog-proof): its place, its path, and a signed checkpoint.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    Checkpoint, CheckpointError, Hash, NoteError, ProofError, SignedNote, VerifierKey, leaf_hash,
    verify_inclusion,
};

/// What begins a proof.
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The most hashes that lead from a leaf to a root.
const LONGEST_PATH: usize = 64;

/// The proof that a record is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// What its maker put beside it; proven by nothing.
    pub extra: Option<Vec<u8>>,
    /// The number of the record.
    pub index: u64,
    /// From the sibling of its leaf up to a child of the root.
    pub hashes: Vec<Hash>,
    /// The checkpoint of the log that it leads to.
    pub note: SignedNote,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// The text is none.
    #[error("this is no tlog-proof: {0}")]
    NotAProof(&'static str),
    /// Its checkpoint is no signed note, or is not signed by a known key.
    #[error("its checkpoint: {0}")]
    Note(#[from] NoteError),
    /// What was signed is no checkpoint.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// It does not lead from these bytes to the root of the checkpoint.
    #[error("the record is not the one that was logged: {0}")]
    Inclusion(#[from] ProofError),
}

impl TlogProof {
    /// The checkpoint that it leads to. That it was signed is not looked at.
    pub fn checkpoint(&self) -> Result<Checkpoint, TlogProofError> {
        Ok(self.note.text.parse()?)
    }

    /// Whether these are the exact bytes of the record, in a log of which one of these keys signed the checkpoint.
    ///
    /// Gives back the checkpoint and the keys that signed it.
    pub fn verify<'k>(
        &self,
        record: &[u8],
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<(Checkpoint, Vec<&'k VerifierKey>), TlogProofError> {
        let signed = self.note.verified_by(keys)?;
        let checkpoint = self.checkpoint()?;
        let head = (checkpoint.head.size, checkpoint.head.root);
        verify_inclusion(leaf_hash(record), self.index, head, &self.hashes)?;
        Ok((checkpoint, signed.into_iter().map(|(key, _)| key).collect()))
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash.0))?;
        }
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for TlogProof {
    type Err = TlogProofError;

    fn from_str(text: &str) -> Result<Self, TlogProofError> {
        use TlogProofError::NotAProof;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(NotAProof("no empty line stands before its checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(NotAProof("its first line is another"));
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.map(|line| {
            STANDARD
                .decode(&line["extra ".len()..])
                .map_err(|_| NotAProof("its extra data is not base64"))
        });
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .ok_or(NotAProof("it does not say which record it is of"))?;
        let number: u64 = index
            .parse()
            .map_err(|_| NotAProof("the number of its record is none"))?;
        if number.to_string() != index {
            return Err(NotAProof(
                "the number of its record is not written as it should be",
            ));
        }
        let hashes = lines.map(|line| {
            let hash = STANDARD.decode(line).ok().and_then(|hash| hash.try_into().ok());
            hash.map(Hash)
                .ok_or(NotAProof("a line of its path is no hash in base64"))
        });
        let hashes: Vec<Hash> = hashes.collect::<Result<_, _>>()?;
        if hashes.len() > LONGEST_PATH {
            return Err(NotAProof("its path is longer than that of any tree"));
        }
        Ok(Self {
            extra: extra.transpose()?,
            index: number,
            hashes,
            note: note.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::super::{CompactRange, Head, SignatureType};
    use super::*;

    /// A log of three records, the proof of the second, and the key that signed.
    fn made() -> (TlogProof, VerifierKey) {
        let leaves = [b"one", b"two", b"six"].map(|record| leaf_hash(record));
        let mut tree = CompactRange::new();
        for leaf in leaves {
            tree.append(leaf);
        }
        let checkpoint = Checkpoint {
            origin: "example.com/log".into(),
            head: Head {
                size: 3,
                root: tree.root(),
            },
        };
        let signing = SigningKey::from_bytes(&[7; 32]);
        let public = signing.verifying_key();
        let key = VerifierKey::new("example.com/log", SignatureType::Ed25519, public.as_bytes()).unwrap();
        let text = checkpoint.to_string();
        let signature = signing.sign(text.as_bytes()).to_bytes().to_vec();
        let proof = TlogProof {
            extra: None,
            index: 1,
            hashes: vec![leaves[0], leaves[2]],
            note: SignedNote {
                signatures: vec![key.signature(signature)],
                text,
            },
        };
        (proof, key)
    }

    #[test]
    fn a_proof_that_was_written_is_read_and_holds_for_its_record_alone() {
        let (proof, key) = made();
        for extra in [None, Some(b"beside".to_vec())] {
            let proof = TlogProof {
                extra,
                ..proof.clone()
            };
            let read: TlogProof = proof.to_string().parse().unwrap();
            assert_eq!(read, proof);
            assert_eq!(read.verify(b"two", [&key]).unwrap().0.head.size, 3);
            assert!(matches!(
                read.verify(b"twi", [&key]),
                Err(TlogProofError::Inclusion(_))
            ));
        }
        let elsewhere = TlogProof { index: 0, ..proof };
        assert!(elsewhere.verify(b"two", [&key]).is_err());
    }

    /// The example of tlog-proof; the text leaves its signatures out, and has a path that is shorter than that of its tree.
    #[test]
    fn the_example_of_the_format_is_read_and_written_as_it_was() {
        let (other, key) = made();
        let text = format!(
            "c2sp.org/tlog-proof@v1\n\
             extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\n\
             index 73894\n\
             gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
             B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\
             EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n\
             RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n\
             AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\n\
             example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n{}",
            other.note.signatures[0]
        );
        let proof: TlogProof = text.parse().unwrap();
        assert_eq!((proof.index, proof.hashes.len()), (73_894, 5));
        assert_eq!(proof.checkpoint().unwrap().head.size, 109_482);
        assert!(proof.extra.as_deref().unwrap().starts_with(b"age-v1.2.1-darwin"));
        assert_eq!(proof.to_string(), text);
        assert!(proof.verify(b"", [&key]).is_err());
    }

    #[test]
    fn a_checkpoint_that_another_key_signed_proves_nothing() {
        let (proof, _) = made();
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        let other = VerifierKey::new("example.com/log", SignatureType::Ed25519, other.as_bytes()).unwrap();
        assert_eq!(
            proof.verify(b"two", [&other]),
            Err(TlogProofError::Note(NoteError::Unsigned))
        );
    }

    #[test]
    fn text_that_is_no_proof_is_refused_with_the_reason() {
        let text = made().0.to_string();
        for (from, to, why) in [
            ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2", "first line"),
            ("index 1", "index 01", "written"),
            ("index 1", "index x", "number"),
            ("index 1\n", "", "which record"),
            ("index 1\n", "index 1\nAAAA\n", "path"),
            ("\n\n", "\n", ""),
        ] {
            let error = text.replacen(from, to, 1).parse::<TlogProof>().unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
