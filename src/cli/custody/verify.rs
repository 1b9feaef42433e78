//! `claviger custody verify`: the proof that the log is whole, computed here from the records themselves; and of a bundle, what
//! `claviger-verify` says of it.
//!
//! The server is asked for records and for its head, and believed neither: a server that leaves out, changes
//! or reorders a record gives another root than its head has. What a server that rewrites the whole log can
//! still do is caught only by a head that was kept elsewhere (`--kept`).

use std::path::PathBuf;

use serde::Serialize;

use super::source::Source;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, counted, say, time};
use crate::custody::{CompactRange, Fault, Hash, Head, Verified, Verifier};
use crate::verifier;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Verify this bundle or checkpoint instead, offline, as `claviger-verify` does
    #[arg(value_name = "BUNDLE", requires = "policy")]
    pub(super) bundle: Option<PathBuf>,
    /// Whose log is believed, and which witnesses have to have seen it (C2SP tlog-policy); kept by the auditor
    #[arg(long, value_name = "FILE", requires = "bundle")]
    policy: Option<PathBuf>,
    /// The checkpoint of the last visit, kept by the auditor; written anew once the bundle is verified
    #[arg(long, value_name = "FILE", requires = "bundle")]
    state: Option<PathBuf>,
    /// After how many seconds without a record a heartbeat is missed in a bundle
    #[arg(long, value_name = "SECONDS", default_value_t = verifier::HEARTBEAT)]
    heartbeat: u32,
    /// A head that was kept elsewhere: the log has to continue it
    #[arg(long, value_name = "SIZE:ROOT", value_parser = kept_head, conflicts_with = "bundle")]
    pub(super) kept: Option<Head>,
}

/// Verifies a bundle or a checkpoint as `claviger-verify` does, with its words and its exit codes.
pub(super) fn bundle(arguments: Arguments, output: Output) -> Result<Exit, Failure> {
    let (Some(file), Some(policy)) = (arguments.bundle, arguments.policy) else {
        return Err(Failure::usage("a bundle is verified with --policy FILE"));
    };
    let form = if output.is_json() {
        verifier::Form::Json
    } else {
        verifier::Form::Words
    };
    let verified = verifier::run(&verifier::Arguments {
        file,
        policy,
        state: arguments.state,
        heartbeat: arguments.heartbeat,
        form,
    });
    match verified {
        Ok(()) => Ok(Exit::Done),
        Err(error @ verifier::Error::Refused(_)) => Err(Failure::new(error.to_string()).unhealthy()),
        Err(error) => Err(Failure::new(error.to_string())),
    }
}

/// How many leaves are asked for at a time.
const LEAVES: u64 = 4096;

/// What was proved.
#[derive(Serialize)]
struct Proof {
    verified: bool,
    /// The number of the first record that was not pruned.
    kept_from: u64,
    size: u64,
    root: Hash,
    #[serde(with = "time::serde::rfc3339::option")]
    first: Option<time::OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    last: Option<time::OffsetDateTime>,
}

/// Unhealthy where the log is not whole.
pub(super) async fn run(kept: Option<Head>, source: &Source, output: Output) -> Result<Exit, Failure> {
    // The log grows while it is read; what is proved is the log as it was at this head.
    let head = source.head().await?;
    if let Some(kept) = kept.filter(|kept| kept.size > head.size) {
        return Err(not_whole(&format!(
            "it had {} when its head was kept and has {} now",
            counted(kept.size, "record"),
            head.size
        )));
    }
    let mut verifier = Verifier::new();
    let mut continued = Continued::of(kept);
    // Of what was pruned, the leaves are there.
    let kept_from = source.kept_from().await?;
    let mut next = 0;
    while next < kept_from.min(head.size) {
        let count = u32::try_from((kept_from - next).min(LEAVES)).expect("a page is short");
        let leaves = source.hashes(0, next, count).await?;
        if leaves.is_empty() {
            break;
        }
        for leaf in leaves {
            verifier.push_leaf(leaf);
            continued.append(leaf).map_err(|why| not_whole(&why))?;
            next += 1;
        }
    }
    while next < head.size {
        let records = source.page(next, head.size).await?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            verifier.push(record).map_err(|fault| not_whole(&fault))?;
            continued.append(record.leaf).map_err(|why| not_whole(&why))?;
            next += 1;
        }
    }
    let whole = verifier.finish(&head).map_err(|fault: Fault| not_whole(&fault))?;
    report(&whole, kept_from, output)
}

fn report(verified: &Verified, kept_from: u64, output: Output) -> Result<Exit, Failure> {
    let Head { size, root } = verified.head;
    let proof = Proof {
        verified: true,
        kept_from,
        size,
        root,
        first: verified.first,
        last: verified.last,
    };
    output.data(&proof, |_| {
        format!("custody log verified: {}, root {root}", counted(size, "record"))
    })?;
    if kept_from > 0 {
        say(format_args!(
            "of the records before {kept_from}, which were pruned, the hashes were verified"
        ));
    }
    if let (Some(first), Some(last)) = (verified.first, verified.last) {
        say(format_args!(
            "from {} to {}; keep {size}:{root} elsewhere, and give it with --kept next time",
            time(first),
            time(last)
        ));
    }
    Ok(Exit::Done)
}

fn not_whole(why: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("the custody log is NOT whole: {why}"))
        .remedy("keep a copy of the database as it is, and find out who could write to it")
        .unhealthy()
}

/// Whether the log has a kept head as its beginning.
struct Continued {
    tree: CompactRange,
    kept: Option<Head>,
}

impl Continued {
    fn of(kept: Option<Head>) -> Self {
        // Every log begins with the empty one, whose root says nothing.
        Self {
            tree: CompactRange::new(),
            kept: kept.filter(|kept| kept.size > 0),
        }
    }

    fn append(&mut self, leaf: Hash) -> Result<(), String> {
        let Some(kept) = self.kept else { return Ok(()) };
        if self.tree.size() == kept.size {
            return Ok(());
        }
        self.tree.append(leaf);
        if self.tree.size() == kept.size && self.tree.root() != kept.root {
            return Err(format!(
                "its first {} have root {}, and the head that was kept has {}",
                counted(kept.size, "record"),
                self.tree.root(),
                kept.root
            ));
        }
        Ok(())
    }
}

/// Reads `SIZE:ROOT`, as `verify` prints it.
pub(super) fn kept_head(text: &str) -> Result<Head, String> {
    let parse = || {
        let (size, root) = text.split_once(':')?;
        Some(Head {
            size: size.parse().ok()?,
            root: root.parse().ok()?,
        })
    };
    parse().ok_or_else(|| "expected a head as `claviger custody verify` prints it, SIZE:ROOT".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::leaf_hash;

    #[test]
    fn a_log_that_was_rewritten_from_the_start_does_not_continue_the_kept_head() {
        let leaves = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
        let mut tree = CompactRange::new();
        tree.append(leaves[0]);
        tree.append(leaves[1]);
        let kept = kept_head(&format!("2:{}", tree.root())).unwrap();

        let mut continued = Continued::of(Some(kept));
        for leaf in leaves {
            continued.append(leaf).unwrap();
        }
        let mut rewritten = Continued::of(Some(kept));
        rewritten.append(leaf_hash(b"x")).unwrap();
        assert!(
            rewritten
                .append(leaves[1])
                .unwrap_err()
                .contains("first 2 records")
        );
    }

    #[test]
    fn a_kept_head_is_read_as_it_is_printed() {
        assert!(kept_head("2").is_err());
        assert!(kept_head("2:abcd").is_err());
        assert!(kept_head(&format!("x:{}", leaf_hash(b""))).is_err());
    }
}
