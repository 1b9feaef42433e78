//! Checkpoints (C2SP tlog-checkpoint): the head of a log, as the text that is signed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Hash, Head};

/// The head of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log it is.
    pub origin: String,
    /// Its size and root.
    pub head: Head,
}

/// Text that is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no checkpoint: {0}")]
pub struct CheckpointError(&'static str);

/// The text that is signed, with its last line feed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { size, root } = self.head;
        writeln!(f, "{}\n{size}\n{}", self.origin, STANDARD.encode(root.0))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the text of a note. Extension lines are taken and say nothing here.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines = text
            .strip_suffix('\n')
            .ok_or(CheckpointError("it does not end with a line"))?;
        let lines: Vec<&str> = lines.split('\n').collect();
        let [origin, size, root, ..] = lines[..] else {
            return Err(CheckpointError("it has fewer than three lines"));
        };
        if lines.iter().any(|line| line.is_empty()) {
            return Err(CheckpointError("one of its lines is empty"));
        }
        let read: u64 = size
            .parse()
            .map_err(|_| CheckpointError("its second line is no number"))?;
        if read.to_string() != size {
            return Err(CheckpointError("its number is not written as it should be"));
        }
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok());
        let root = root.ok_or(CheckpointError("its third line is no hash in base64"))?;
        Ok(Self {
            origin: origin.to_owned(),
            head: Head {
                size: read,
                root: Hash(root),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the example of tlog-checkpoint.
    const TEXT: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn a_checkpoint_of_others_is_read_and_written_as_it_was() {
        let checkpoint: Checkpoint = TEXT.parse().unwrap();
        assert_eq!(checkpoint.origin, "example.com/behind-the-sofa");
        assert_eq!(checkpoint.head.size, 20_852_163);
        assert_eq!(checkpoint.to_string(), TEXT);
        assert_eq!(format!("{TEXT}extension\n").parse::<Checkpoint>(), Ok(checkpoint));
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        for text in [
            "",
            "a\n1\n",
            &TEXT.replace("20852163", "020852163"),
            &TEXT.replace("20852163", "-1"),
            &TEXT.replace("CsUY", "CsU"),
            &TEXT.replace("example.com/behind-the-sofa", ""),
            TEXT.trim_end(),
            &format!("{TEXT}\n"),
        ] {
            assert!(text.parse::<Checkpoint>().is_err(), "{text:?}");
        }
    }
}
