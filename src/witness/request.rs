//! What a log sends to a witness: the body of `add-checkpoint`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::custody::{Hash, NoteError, SignedNote};

/// The most hashes of a proof (C2SP tlog-witness, "add-checkpoint").
pub const MOST_HASHES: usize = 63;

/// A checkpoint that is to be cosigned, and the proof that it continues an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the log that the witness cosigned last; 0 where it has none.
    pub old: u64,
    /// That the log of `old` records is the beginning of the checkpoint's.
    pub proof: Vec<Hash>,
    /// The checkpoint, signed by the log.
    pub note: SignedNote,
}

/// A body that is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotARequest {
    /// What stands before the checkpoint is not as it should be.
    #[error("this is no request to add a checkpoint: {0}")]
    Head(&'static str),
    /// What follows is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// The body as it is sent.
impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", STANDARD.encode(hash.0))?;
        }
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for AddCheckpoint {
    type Err = NotARequest;

    fn from_str(body: &str) -> Result<Self, NotARequest> {
        let (head, note) = body
            .split_once("\n\n")
            .ok_or(NotARequest::Head("no empty line stands before the checkpoint"))?;
        let mut lines = head.split('\n');
        let size = lines.next().and_then(|line| line.strip_prefix("old "));
        let size = size.ok_or(NotARequest::Head("it does not begin with a line `old SIZE`"))?;
        let old: u64 = size
            .parse()
            .map_err(|_| NotARequest::Head("its old size is no number"))?;
        if old.to_string() != size {
            return Err(NotARequest::Head("its old size is not written as it should be"));
        }
        let mut proof = Vec::new();
        for line in lines {
            let hash = STANDARD.decode(line).ok().and_then(|hash| hash.try_into().ok());
            let hash = hash.ok_or(NotARequest::Head("a line of its proof is no hash in base64"))?;
            proof.push(Hash(hash));
            if proof.len() > MOST_HASHES {
                return Err(NotARequest::Head("its proof has more than 63 hashes"));
            }
        }
        let note = note.parse()?;
        Ok(Self { old, proof, note })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of tlog-witness.
    const BODY: &str = "\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";

    #[test]
    fn the_example_of_the_format_is_read_and_written_as_it_was() {
        let request: AddCheckpoint = BODY.parse().unwrap();
        assert_eq!((request.old, request.proof.len()), (20_852_014, 4));
        assert_eq!(request.note.signatures.len(), 2);
        assert_eq!(request.to_string(), BODY);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let many = format!(
            "old 1\n{}",
            "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n".repeat(64)
        );
        for body in [
            "",
            "old 1",
            "old 1\n\n",
            &BODY.replace("old 2", "old 02"),
            &BODY.replace("old 2", "old +2"),
            &BODY.replace("old ", "new "),
            &BODY.replace("old ", "old  "),
            &BODY.replace("PlRN", "PlR"),
            &BODY.replacen("\n\n", "\n", 1),
            BODY.trim_end(),
            &BODY.replace('\n', "\r\n"),
            &BODY.replace("old 20852014\n", &many),
        ] {
            assert!(body.parse::<AddCheckpoint>().is_err(), "{body:?}");
        }
    }
}
