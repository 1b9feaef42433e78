//! The checkpoints of a bundle: who signed them, and what each of them says the log was.

use std::collections::BTreeMap;

use super::super::{Believed, Disbelief, Hash, NoteError, Policy, SignedNote};
use super::finding::{Code, Findings};

/// Where a head comes from that the log has to agree with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A checkpoint of the bundle.
    Bundle,
    /// What the auditor saw last.
    State,
}

/// Heads that were signed, and that the log has to have had.
#[derive(Default)]
pub(super) struct Heads {
    signed: BTreeMap<u64, Vec<(Hash, Source)>>,
    /// How many checkpoints of the bundle were believed.
    pub(super) believed: u64,
    /// How many of them too few witnesses have seen.
    unwitnessed: u64,
    /// The size of the last one.
    last: u64,
}

impl Heads {
    pub(super) fn add(&mut self, size: u64, root: Hash, source: Source) {
        let roots = self.signed.entry(size).or_default();
        if !roots.contains(&(root, source)) {
            roots.push((root, source));
        }
    }

    /// Takes the next of the checkpoints.
    pub(super) fn checkpoint(&mut self, text: &str, policy: &Policy, origin: &str, findings: &mut Findings) {
        let what = "a checkpoint of the time";
        let Some(believed) = believe(text, what, policy, findings) else {
            return;
        };
        let head = believed.checkpoint.head;
        if believed.checkpoint.origin != origin {
            findings.add(
                Code::CheckpointOther,
                None,
                format!(
                    "{what} is of the log {}, and the bundle of {origin}",
                    believed.checkpoint.origin
                ),
            );
            return;
        }
        if head.size < self.last {
            findings.add(
                Code::CheckpointOther,
                None,
                format!(
                    "a checkpoint over {} records stands after one over {}",
                    head.size, self.last
                ),
            );
        }
        self.last = head.size;
        self.believed += 1;
        self.unwitnessed += u64::from(!believed.quorum);
        self.add(head.size, head.root, Source::Bundle);
    }

    /// Tells of what concerns all of them together.
    pub(super) fn end(&self, findings: &mut Findings) {
        if self.unwitnessed > 0 {
            findings.add(
                Code::CheckpointsUnwitnessed,
                None,
                format!(
                    "{} of the {} earlier checkpoints were seen by fewer witnesses than the policy asks for; the later one proves them all the same",
                    self.unwitnessed, self.believed
                ),
            );
        }
    }

    /// The sizes below `from`, which the records can't show.
    pub(super) fn below(&self, from: u64) -> impl Iterator<Item = (u64, Hash, Source)> + '_ {
        let heads = self.signed.range(..from);
        heads.flat_map(|(size, roots)| roots.iter().map(|(root, source)| (*size, *root, *source)))
    }

    /// The first size from `size` on that something was signed of.
    pub(super) fn next(&self, size: u64) -> Option<u64> {
        self.signed.range(size..).next().map(|(size, _)| *size)
    }

    /// Compares the log as it was at this size with all that was signed of it.
    pub(super) fn compare(&self, size: u64, root: Hash, findings: &mut Findings) {
        for (signed, source) in self.signed.get(&size).into_iter().flatten() {
            if *signed != root {
                forked(size, *signed, root, *source, findings);
            }
        }
    }
}

pub(super) fn forked(size: u64, signed: Hash, root: Hash, source: Source, findings: &mut Findings) {
    let words = |who: &str| {
        format!(
            "{who} says that the first {size} records have the root {signed}, and here they have {root}: both were signed, so the log was forked or rewritten"
        )
    };
    match source {
        Source::Bundle => findings.add(Code::LogForked, None, words("an earlier checkpoint")),
        Source::State => findings
            .of_state
            .push((Code::LogForked, words("the checkpoint of your last visit"))),
    }
}

/// The checkpoint of a note, where the policy believes it.
pub(super) fn believe(text: &str, what: &str, policy: &Policy, findings: &mut Findings) -> Option<Believed> {
    let note: SignedNote = match text.parse() {
        Ok(note) => note,
        Err(error) => {
            findings.add(Code::CheckpointUnreadable, None, format!("{what}: {error}"));
            return None;
        }
    };
    match policy.believe(&note) {
        Ok(believed) => Some(believed),
        Err(error) => {
            let code = match &error {
                Disbelief::NoCheckpoint(_) => Code::CheckpointUnreadable,
                Disbelief::Note(NoteError::Forged(_)) => Code::CheckpointForged,
                _ => Code::CheckpointWrongKey,
            };
            findings.add(code, None, format!("{what}: {error}"));
            None
        }
    }
}
