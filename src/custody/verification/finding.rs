//! What a verification finds, by name.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$documentation:meta])* $variant:ident = $name:literal, $severity:ident;)*) => {
        /// What was found. The names stay as they are once they were released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$documentation])* $variant,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How much it weighs.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    /// The file is no bundle, or is broken off.
    BundleUnreadable = "bundle.unreadable", Refused;
    /// The bundle is of a form that this program does not know.
    BundleVersion = "bundle.version", Refused;
    /// The bundle lacks something that it is proved by.
    BundleIncomplete = "bundle.incomplete", Refused;
    /// The bundle has a member that this program does not know, and did not verify.
    BundleUnknownMember = "bundle.unknown-member", Noted;
    /// A checkpoint is none.
    CheckpointUnreadable = "checkpoint.unreadable", Refused;
    /// The signature of a key that the policy names does not hold.
    CheckpointForged = "checkpoint.forged", Refused;
    /// No log of the policy signed a checkpoint: it was signed with a wrong key.
    CheckpointWrongKey = "checkpoint.wrong-key", Refused;
    /// The checkpoint that the bundle is proved by was seen by fewer witnesses than the policy asks for.
    CheckpointUnwitnessed = "checkpoint.unwitnessed", Refused;
    /// An earlier checkpoint was seen by fewer witnesses than the policy asks for.
    CheckpointsUnwitnessed = "checkpoint.earlier-unwitnessed", Noted;
    /// The bundle's words about itself are not those of its checkpoint.
    CheckpointOther = "checkpoint.other", Refused;
    /// The log has fewer records than when the auditor saw it last.
    LogRolledBack = "log.rolled-back", Refused;
    /// The log is another than one that was signed, or seen, before.
    LogForked = "log.forked", Refused;
    /// Records at the end are missing.
    LogTruncated = "log.truncated", Refused;
    /// A new epoch of the log was opened: what two administrators found and explained.
    LogEpoch = "log.epoch", Noted;
    /// A new epoch of the log was opened by one administrator alone.
    LogEpochAlone = "log.epoch-alone", Refused;
    /// The log is not the one of the last visit, and an epoch that two administrators opened explains it.
    LogEpochExplains = "log.epoch-explains", Noted;
    /// The oldest records were let go, as two administrators agreed.
    LogPruned = "log.pruned", Noted;
    /// The oldest records are gone, and no record tells that two administrators let them go.
    LogPrunedUnrecorded = "log.pruned-unrecorded", Refused;
    /// The hashes of the tiles are not those of the signed root.
    TileChanged = "tile.changed", Refused;
    /// The records are not those of the signed root.
    RootOther = "root.other", Refused;
    /// A record's bytes were changed.
    RecordChanged = "record.changed", Refused;
    /// A record is not there.
    RecordMissing = "record.missing", Refused;
    /// A record is there that was never logged, or is there twice.
    RecordInserted = "record.inserted", Refused;
    /// A record stands at another place than it was logged at.
    RecordOutOfOrder = "record.out-of-order", Refused;
    /// A record that was logged is of a form that this program does not know.
    RecordUnreadable = "record.unreadable", Refused;
    /// A record that was logged names another place than its own.
    RecordMisnumbered = "record.misnumbered", Refused;
    /// A record that was logged is older than the one before it.
    RecordTime = "record.time", Refused;
    /// A record's identifier is not one of its time, or was used before.
    RecordIdentifier = "record.identifier", Refused;
    /// A key was used or changed, and no record made it.
    KeyUnmade = "key.unmade", Refused;
    /// A key was made, and was there already.
    KeyMadeTwice = "key.made-twice", Refused;
    /// A key went from one state to another that can't follow.
    KeyTransition = "key.transition", Refused;
    /// A key was found in a state that no record brought it to.
    KeyState = "key.state", Refused;
    /// A key was released after it was destroyed.
    KeyReleasedAfterEnd = "key.released-after-end", Refused;
    /// A release that was under way when the key was destroyed was recorded after that.
    KeyReleasedMeanwhile = "key.released-meanwhile", Noted;
    /// Nothing was recorded for longer than heartbeats are apart.
    HeartbeatGap = "heartbeat.gap", Noted;
    /// A row of the store is not the one that the log says.
    RowSwapped = "row.swapped", Refused;
    /// A row of the store is an older one, or one that was taken out, that was put back.
    RowRolledBack = "row.rolled-back", Refused;
    /// A row that the log knows is not in the store.
    RowMissing = "row.missing", Refused;
    /// There is a row in the store that no record made.
    RowUnknown = "row.unknown", Refused;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The bundle is not to be believed.
    Refused,
    /// The bundle is believed, and somebody should look at this.
    Noted,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name.
    pub code: Code,
    /// The record that it is about, by number.
    pub record: Option<u64>,
    /// In words.
    pub words: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.code.severity() {
            Severity::Refused => "REFUSED",
            Severity::Noted => "noted",
        };
        write!(f, "{word} {}: {}", self.code, self.words)
    }
}

/// The most findings that are kept; the rest is counted.
const MOST: usize = 1000;

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    pub(super) more: u64,
    pub(super) refused: bool,
    /// What disagrees with the last visit, until it is known whether an epoch explains it.
    pub(super) of_state: Vec<(Code, String)>,
}

impl Findings {
    pub(super) fn add(&mut self, code: Code, record: impl Into<Option<u64>>, words: impl Into<String>) {
        self.refused |= code.severity() == Severity::Refused;
        if self.list.len() == MOST {
            self.more += 1;
            return;
        }
        self.list.push(Finding {
            code,
            record: record.into(),
            words: words.into(),
        });
    }
}
