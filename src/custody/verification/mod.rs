//! Verification of a bundle: everything that it says of itself made again, and a reason for each thing that is refused.
//!
//! [`verify_bundle`] reads a bundle once, from its beginning to its end. It believes the auditor's policy and the auditor's
//! state of the last visit, and nothing of the bundle that does not follow from them:
//!
//! 1. the checkpoint is signed by a log of the policy and seen by enough witnesses, and so is what earlier checkpoints say;
//! 2. the tiles give its root, and on the way there the root of each earlier checkpoint and that of the last visit;
//! 3. each record has the leaf that the tiles have for it;
//! 4. times, numbers and identifiers are in order; each key is made, changed and destroyed as the life cycle has it; heartbeats
//!    have no gaps;
//! 5. where the rows of the store are there, each is the one that the log says.
//!
//! In memory are the leaves, 32 bytes a record, and what is known of each key.

mod checkpoints;
mod finding;
mod lives;
mod outcome;
mod records;
mod rows;
#[cfg(test)]
pub(crate) mod tests;
mod tree;

use std::io::{self, BufRead, BufReader, Read};

use serde::Serialize;
use serde::de::DeserializeOwned;
use time::{Duration, OffsetDateTime};

pub use finding::{Code, Finding, Severity};
pub use lives::KeyCounts;

use super::bundle::{
    BUNDLE_FORMAT, CHECKPOINT, CHECKPOINTS, IDENTITIES, MANIFEST, Manifest, POLICY, RECORDS, ROWS, tile_at,
};
use super::{Believed, Hash, IdentityFacts, Policy, RowFacts, TILE_WIDTH, Tile};
use checkpoints::{Heads, Source, believe};
use finding::Findings;
use records::{Content, Line, Records};
use tree::{Leaves, Tree};

/// The longest of the members that are read at once, in bytes.
const LONGEST_MEMBER: u64 = 1 << 20;
/// The longest line, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// What the auditor brings along.
#[derive(Clone, Debug)]
pub struct Visit<'a> {
    /// Whose log is believed.
    pub policy: &'a Policy,
    /// The checkpoint of the last visit, as the signed note that it was; none at the first.
    pub state: Option<&'a str>,
    /// After how long without a record a heartbeat is missed.
    pub heartbeat: Duration,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is to be refused.
    pub verified: bool,
    /// Which log it is.
    pub origin: Option<String>,
    /// The number of the first record.
    pub from: u64,
    /// The number of all records of the log.
    pub size: u64,
    /// The root over them.
    pub root: Option<Hash>,
    /// The checkpoint, word for word: the state to keep for the next visit, once verified.
    pub checkpoint: String,
    /// Which witnesses have seen it, and when (seconds since 1970).
    pub cosigned: Vec<(String, u64)>,
    /// How many earlier checkpoints agree with it.
    pub checkpoints: u64,
    /// The number of the first record that the log has not pruned; none where it has all of them.
    pub kept_from: Option<u64>,
    /// How many records were read.
    pub records: u64,
    /// The time of the first.
    #[serde(with = "time::serde::rfc3339::option")]
    pub first: Option<OffsetDateTime>,
    /// The time of the last.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last: Option<OffsetDateTime>,
    /// What they say of keys.
    pub keys: KeyCounts,
    /// How many rows of keys in the store were compared; none where the bundle has no rows.
    pub rows: Option<u64>,
    /// How many records the log had when the rows were read, as the bundle says.
    pub rows_at: Option<u64>,
    /// How many adapters, client certificates and root keys of the store were compared; none where the bundle has none.
    pub identities: Option<u64>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// How many findings more there were than are listed.
    pub more_findings: u64,
    /// What could not be verified with what was there, in words.
    pub not_verified: Vec<String>,
}

impl Report {
    /// Whether there is a finding of this name.
    pub fn has(&self, code: Code) -> bool {
        self.findings.iter().any(|finding| finding.code == code)
    }
}

/// Verifies a bundle. Whatever is wrong with it is in the report.
pub fn verify_bundle(bundle: impl Read, visit: &Visit<'_>) -> Report {
    let mut verification = Verification::new(visit);
    if let Err(error) = verification.read(bundle) {
        let why = format!("the bundle can't be read to its end: {error}");
        verification.findings.add(Code::BundleUnreadable, None, why);
    }
    verification.report()
}

struct Verification<'v> {
    visit: &'v Visit<'v>,
    findings: Findings,
    manifest: Option<Manifest>,
    checkpoint: String,
    believed: Option<Believed>,
    heads: Heads,
    tree: Option<Tree>,
    records: Option<Records>,
    content: Option<Content>,
    /// From which record on what records say together was not judged.
    disturbed: Option<u64>,
    keys: KeyCounts,
    rows: Option<u64>,
    identities: Option<u64>,
    /// The size of the log at the last visit.
    seen: u64,
}

/// The members in their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Manifest,
    Policy,
    Checkpoint,
    Checkpoints,
    Tile(Tile),
    Records,
    Rows,
    Identities,
}

impl Member {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            MANIFEST => Self::Manifest,
            POLICY => Self::Policy,
            CHECKPOINT => Self::Checkpoint,
            CHECKPOINTS => Self::Checkpoints,
            RECORDS => Self::Records,
            ROWS => Self::Rows,
            IDENTITIES => Self::Identities,
            name => Self::Tile(tile_at(name)?),
        })
    }

    /// Whether it may stand after the other. Tiles say themselves in which order they are.
    fn follows(self, other: Option<Self>) -> bool {
        match (other, self) {
            (Some(Self::Tile(_)), Self::Tile(_)) => true,
            (Some(other), this) => this > other,
            (None, this) => this == Self::Manifest,
        }
    }
}

impl<'v> Verification<'v> {
    fn new(visit: &'v Visit<'v>) -> Self {
        Self {
            visit,
            findings: Findings::default(),
            manifest: None,
            checkpoint: String::new(),
            believed: None,
            heads: Heads::default(),
            tree: None,
            records: None,
            content: None,
            disturbed: None,
            keys: KeyCounts::default(),
            rows: None,
            identities: None,
            seen: 0,
        }
    }

    fn read(&mut self, bundle: impl Read) -> io::Result<()> {
        let mut archive = tar::Archive::new(bundle);
        let mut last = None;
        // Raw: what tar knows beyond files with short names is no part of a bundle, and may be of any size.
        for entry in archive.entries()?.raw(true) {
            let entry = entry?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let is_file = entry.header().entry_type().is_file();
            if !is_file && entry.size() > 0 {
                return Err(malformed(&format!("{name:?} is no file, and not empty")));
            }
            let Some(member) = Member::of(&name).filter(|_| is_file) else {
                let why = format!("the bundle has {name:?} in it, which was not verified");
                self.findings.add(Code::BundleUnknownMember, None, why);
                continue;
            };
            if !member.follows(last) {
                return Err(malformed(&format!("{name} does not stand where it should")));
            }
            last = Some(member);
            self.member(member, BufReader::with_capacity(1 << 16, entry))?;
            if self
                .findings
                .list
                .last()
                .is_some_and(|found| found.code == Code::BundleVersion)
            {
                return Ok(());
            }
        }
        self.end_tiles();
        self.end_records();
        if self.content.is_none() && self.believed.is_some() {
            let why = "the bundle has no records";
            self.findings.add(Code::BundleIncomplete, None, why);
        }
        Ok(())
    }

    fn member(&mut self, member: Member, mut entry: impl BufRead) -> io::Result<()> {
        match member {
            Member::Manifest => self.manifest(&whole(&mut entry)?),
            // The auditor has his own.
            Member::Policy => io::copy(&mut entry.take(LONGEST_MEMBER), &mut io::sink()).map(drop),
            Member::Checkpoint => {
                let bytes = whole(&mut entry)?;
                self.checkpoint(String::from_utf8(bytes).map_err(|_| malformed("the checkpoint is no text"))?)
            }
            Member::Checkpoints => self.checkpoints(entry),
            Member::Tile(tile) => {
                let bytes = whole(&mut entry)?;
                let (hashes, rest) = bytes.as_chunks::<32>();
                if !rest.is_empty() || hashes.len() != usize::from(tile.width) {
                    return Err(malformed(&format!(
                        "{tile} has {} bytes, expected {} hashes",
                        bytes.len(),
                        tile.width
                    )));
                }
                let hashes: Vec<Hash> = hashes.iter().copied().map(Hash).collect();
                let tree = self
                    .tree
                    .as_mut()
                    .ok_or_else(|| malformed("a tile stands before the checkpoint"))?;
                tree.tile(tile, &hashes, &self.heads, &mut self.findings);
                Ok(())
            }
            Member::Records => self.records(entry),
            Member::Rows => self.rows(entry),
            Member::Identities => self.identities(entry),
        }
    }

    fn manifest(&mut self, bytes: &[u8]) -> io::Result<()> {
        #[derive(serde::Deserialize)]
        struct Form {
            format: u32,
        }
        let form: Form =
            serde_json::from_slice(bytes).map_err(|error| malformed(&format!("{MANIFEST}: {error}")))?;
        if form.format > BUNDLE_FORMAT {
            let why = format!(
                "the bundle is of the form {}, and this program knows those up to {BUNDLE_FORMAT}: use the claviger-verify of a later version",
                form.format
            );
            self.findings.add(Code::BundleVersion, None, why);
            return Ok(());
        }
        let manifest: Manifest =
            serde_json::from_slice(bytes).map_err(|error| malformed(&format!("{MANIFEST}: {error}")))?;
        if !manifest.from.is_multiple_of(TILE_WIDTH) || manifest.from > manifest.size {
            return Err(malformed("the bundle does not begin with a tile of its log"));
        }
        self.manifest = Some(manifest);
        Ok(())
    }

    fn checkpoint(&mut self, text: String) -> io::Result<()> {
        let manifest = self
            .manifest
            .as_ref()
            .ok_or_else(|| malformed("there is no bundle.json"))?;
        let (from, size, origin) = (manifest.from, manifest.size, manifest.origin.clone());
        self.checkpoint = text;
        let findings = &mut self.findings;
        let Some(believed) = believe(&self.checkpoint, "the checkpoint", self.visit.policy, findings) else {
            return Ok(());
        };
        let checkpoint = &believed.checkpoint;
        if (checkpoint.head.size, &checkpoint.origin) != (size, &origin) {
            let why = format!(
                "the bundle says it is of {size} records of {origin}, and its checkpoint of {} of {}",
                checkpoint.head.size, checkpoint.origin
            );
            findings.add(Code::CheckpointOther, None, why);
        }
        if !believed.quorum {
            let seen: Vec<_> = believed.cosigned.iter().map(|(name, _)| name.as_str()).collect();
            let why = if seen.is_empty() {
                "no witness of the policy has seen the checkpoint".to_owned()
            } else {
                format!(
                    "of the policy's witnesses only {} have seen the checkpoint",
                    seen.join(", ")
                )
            };
            findings.add(Code::CheckpointUnwitnessed, None, why);
        }
        if from > checkpoint.head.size {
            return Err(malformed("the bundle begins after the end of its log"));
        }
        self.last_visit(&believed);
        self.tree = Some(Tree::new(from, believed.checkpoint.head, &self.heads));
        self.believed = Some(believed);
        Ok(())
    }

    /// Takes what the auditor saw last.
    fn last_visit(&mut self, now: &Believed) {
        let Some(state) = self.visit.state else { return };
        let what = "the checkpoint of your last visit";
        let Some(last) = believe(state, what, self.visit.policy, &mut self.findings) else {
            return;
        };
        self.seen = last.checkpoint.head.size;
        let (then, now) = (&last.checkpoint, &now.checkpoint);
        if then.origin != now.origin {
            let why = format!(
                "your last visit was to the log {}, and this is {}",
                then.origin, now.origin
            );
            self.findings.add(Code::CheckpointOther, None, why);
        } else if then.head.size > now.head.size {
            let why = format!(
                "the log had {} records at your last visit, and has {} now: it was taken back, or the bundle is an old one",
                then.head.size, now.head.size
            );
            self.findings.of_state.push((Code::LogRolledBack, why));
        } else {
            self.heads.add(then.head.size, then.head.root, Source::State);
        }
    }

    fn checkpoints(&mut self, entry: impl BufRead) -> io::Result<()> {
        let Some(believed) = &self.believed else {
            return Ok(());
        };
        let (head, origin) = (believed.checkpoint.head, believed.checkpoint.origin.clone());
        let mut note = String::new();
        let mut lines = Lines(entry);
        let mut signed = false;
        loop {
            let line = lines.next_line()?;
            // A note has one empty line in it; the one after that ends it.
            if line.as_ref().is_none_or(Vec::is_empty) {
                if line.is_some() && !signed {
                    note.push('\n');
                    signed = true;
                    continue;
                }
                if !note.is_empty() {
                    self.heads
                        .checkpoint(&note, self.visit.policy, &origin, &mut self.findings);
                }
                note.clear();
                signed = false;
            }
            let Some(line) = line else { break };
            if line.is_empty() {
                continue;
            }
            if note.len() > 1 << 18 {
                return Err(malformed("one of the checkpoints has no end"));
            }
            note.push_str(std::str::from_utf8(&line).map_err(|_| malformed("a checkpoint is no text"))?);
            note.push('\n');
        }
        self.heads.end(&mut self.findings);
        if let Some(beyond) = self.heads.next(head.size.saturating_add(1)) {
            let why = format!(
                "an earlier checkpoint is over {beyond} records, and the one that proves the bundle over {}",
                head.size
            );
            self.findings.add(Code::LogTruncated, None, why);
        }
        let from = self.manifest.as_ref().map_or(0, |manifest| manifest.from);
        self.tree = Some(Tree::new(from, head, &self.heads));
        Ok(())
    }

    fn end_tiles(&mut self) {
        let (Some(tree), Some(believed), Some(manifest)) = (self.tree.take(), &self.believed, &self.manifest)
        else {
            return;
        };
        let leaves: Leaves = tree.end(&self.heads, &mut self.findings);
        let rows_at = manifest.rows_at.unwrap_or(0);
        let size = believed.checkpoint.head.size;
        self.records = Some(Records::new(
            manifest.from,
            size,
            leaves,
            rows_at,
            self.visit.heartbeat,
        ));
    }

    fn records(&mut self, entry: impl BufRead) -> io::Result<()> {
        self.end_tiles();
        let Some(records) = &mut self.records else {
            return Ok(());
        };
        let mut lines = Lines(entry);
        let mut line = lines.next_line()?.map(Line::new);
        while let Some(this) = line {
            let next = lines.next_line()?.map(Line::new);
            records.line(&this, next.as_ref().map(|next| next.leaf), &mut self.findings);
            line = next;
        }
        self.end_records();
        Ok(())
    }

    fn end_records(&mut self) {
        if let (Some(records), Some(believed)) = (self.records.take(), &self.believed) {
            let (content, disturbed) = records.end(believed.checkpoint.head.root, &mut self.findings);
            self.keys = content.lives.counts();
            self.content = Some(content);
            self.disturbed = disturbed;
        }
    }

    fn rows(&mut self, entry: impl BufRead) -> io::Result<()> {
        let Some(content) = self.content.as_mut().filter(|_| self.disturbed.is_none()) else {
            return Ok(());
        };
        let findings = &mut self.findings;
        let compared = each(ROWS, entry, |row: &RowFacts| content.rows.key(row, findings))?;
        content.rows.missing_keys(findings);
        self.rows = Some(compared);
        Ok(())
    }

    fn identities(&mut self, entry: impl BufRead) -> io::Result<()> {
        let Some(content) = self.content.as_mut().filter(|_| self.disturbed.is_none()) else {
            return Ok(());
        };
        let findings = &mut self.findings;
        let compared = each(IDENTITIES, entry, |found: &IdentityFacts| {
            content.rows.identity(found, findings);
        })?;
        content.rows.missing_identities(findings);
        self.identities = Some(compared);
        Ok(())
    }
}

/// Lines without their line feed, each of a length that memory can take.
struct Lines<R>(R);

impl<R: BufRead> Lines<R> {
    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.0.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if read as u64 == LONGEST_LINE {
            return Err(malformed("a line has no end"));
        }
        Ok(Some(line))
    }
}

/// Takes each line as JSON; how many there were.
fn each<T: DeserializeOwned>(member: &str, entry: impl BufRead, mut take: impl FnMut(&T)) -> io::Result<u64> {
    let mut lines = Lines(entry);
    let mut number = 0;
    while let Some(line) = lines.next_line()? {
        let this = serde_json::from_slice(&line).map_err(|error| malformed(&format!("{member}: {error}")))?;
        take(&this);
        number += 1;
    }
    Ok(number)
}

fn whole(entry: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(LONGEST_MEMBER + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_MEMBER {
        return Err(malformed("one of its members is too long"));
    }
    Ok(bytes)
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}
