//! `claviger custody prove`: that one record is in the log, or that one checkpoint continues another.
//!
//! What is made is checked here before it is given out. Who signed the checkpoint is for its reader to judge, by the keys that
//! they trust.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::show::find;
use super::source::Source;
use super::target::Target;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{counted, say};
use crate::custody::{
    Checkpoint, Hash, SignedNote, TlogProof, consistency_plan, inclusion_plan, leaf_hash, verify_consistency,
    verify_inclusion,
};
use crate::store::StoredCheckpoint;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The record, by its number or its identifier
    #[arg(
        value_name = "RECORD",
        required_unless_present = "from",
        conflicts_with = "from"
    )]
    record: Option<String>,
    /// Prove that the log continues the checkpoint over so many records
    #[arg(long, value_name = "SIZE")]
    from: Option<u64>,
    /// Up to the checkpoint over so many records [default: the latest]
    #[arg(long, value_name = "SIZE")]
    to: Option<u64>,
    /// Write to this file, which must not be there yet, and not to stdout
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) async fn run(arguments: &Arguments, source: &Source) -> Result<Exit, Failure> {
    let (text, said) = make(arguments, source).await?;
    let mut target = Target::new(arguments.file.as_deref())?;
    target.text(&text)?;
    target.finish()?;
    say(said);
    Ok(Exit::Done)
}

/// The proof, and what it proves in words.
async fn make(arguments: &Arguments, source: &Source) -> Result<(String, String), Failure> {
    let (note, checkpoint) = match arguments.to {
        Some(size) => signed(&exactly(source, size).await?)?,
        None => signed(&source.checkpoint().await?)?,
    };
    match (&arguments.record, arguments.from) {
        (Some(record), _) => inclusion(record, source, note, &checkpoint).await,
        (None, Some(from)) => consistency(from, source, &note, &checkpoint).await,
        (None, None) => Err(Failure::usage("name a record, or a checkpoint with --from")),
    }
}

async fn inclusion(
    record: &str,
    source: &Source,
    note: SignedNote,
    checkpoint: &Checkpoint,
) -> Result<(String, String), Failure> {
    let (sequence, leaf, bytes) = proved(record, source).await?;
    let size = checkpoint.head.size;
    if sequence >= size {
        return Err(Failure::new(format!(
            "record {sequence} is not in the checkpoint, which covers {}",
            counted(size, "record")
        ))
        .remedy("wait for the next checkpoint: `claviger status` shows how far it lags"));
    }
    let plan = inclusion_plan(sequence, size).map_err(|error| unsound(&error))?;
    let hashes = source.proof(&plan, size).await?;
    let tree = (size, checkpoint.head.root);
    verify_inclusion(leaf, sequence, tree, &hashes).map_err(|error| unsound(&error))?;
    let with = if bytes.is_some() {
        "the proof has the record in it"
    } else {
        "it was pruned, so the proof needs the record's bytes from elsewhere"
    };
    let proof = TlogProof {
        extra: bytes,
        index: sequence,
        hashes,
        note,
    };
    let said = format!(
        "record {sequence} is in the log {} of {}; {with}",
        checkpoint.origin,
        counted(size, "record")
    );
    Ok((proof.to_string(), said))
}

/// Number, leaf and bytes of a record; no bytes of one that was pruned, which is named by its number.
async fn proved(record: &str, source: &Source) -> Result<(u64, Hash, Option<Vec<u8>>), Failure> {
    let kept_from = source.kept_from().await?;
    if let Some(sequence) = record.parse().ok().filter(|sequence: &u64| *sequence < kept_from) {
        let leaf = source.hashes(0, sequence, 1).await?.pop();
        let leaf = leaf.ok_or_else(|| {
            Failure::new(format!("the log has no hash of record {sequence}"))
                .remedy("run `claviger custody verify`")
                .unhealthy()
        })?;
        return Ok((sequence, leaf, None));
    }
    let (stored, _) = find(record, source).await?;
    Ok((stored.sequence, leaf_hash(&stored.bytes), Some(stored.bytes)))
}

/// In the form in which a log asks its witnesses (C2SP tlog-witness): `old SIZE`, the hashes, an empty line, the checkpoint.
async fn consistency(
    from: u64,
    source: &Source,
    note: &SignedNote,
    checkpoint: &Checkpoint,
) -> Result<(String, String), Failure> {
    let size = checkpoint.head.size;
    if from > size {
        return Err(Failure::usage(format!(
            "{from} is more than the {} of the checkpoint",
            counted(size, "record")
        )));
    }
    // A checkpoint that was thinned out proves consistent as any other: whoever has it compares its root.
    let old = match source
        .checkpoint_from(from)
        .await?
        .filter(|found| found.size == from)
    {
        Some(found) => signed(&found)?.1.head.root,
        None => source.tree(from).await?.root(),
    };
    let plan = consistency_plan(from, size).map_err(|error| Failure::usage(error.to_string()))?;
    let hashes = source.proof(&plan, size).await?;
    let trees = ((from, old), (size, checkpoint.head.root));
    verify_consistency(trees.0, trees.1, &hashes).map_err(|error| unsound(&error))?;
    let lines: String = hashes.iter().map(|hash| STANDARD.encode(hash.0) + "\n").collect();
    let said = format!(
        "the log of {} continues its first {from}, whose root is {old}",
        counted(size, "record")
    );
    Ok((format!("old {from}\n{lines}\n{note}"), said))
}

async fn exactly(source: &Source, size: u64) -> Result<StoredCheckpoint, Failure> {
    let found = source.checkpoint_from(size).await?;
    found.filter(|found| found.size == size).ok_or_else(|| {
        Failure::new(format!("there is no checkpoint over {}", counted(size, "record")))
            .remedy("give the second line of a checkpoint of this log")
    })
}

fn signed(stored: &StoredCheckpoint) -> Result<(SignedNote, Checkpoint), Failure> {
    let unreadable =
        |why: String| Failure::new(format!("the checkpoint over {} records: {why}", stored.size)).unhealthy();
    let note: SignedNote = stored
        .note
        .parse()
        .map_err(|error| unreadable(format!("{error}")))?;
    let checkpoint: Checkpoint = note
        .text
        .parse()
        .map_err(|error| unreadable(format!("{error}")))?;
    Ok((note, checkpoint))
}

fn unsound(error: &crate::custody::ProofError) -> Failure {
    Failure::new(format!("the log proves nothing here: {error}"))
        .remedy("run `claviger custody verify`")
        .unhealthy()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;
    use crate::custody::{Actor, Event, EventName, SignatureType, VerifierKey};
    use crate::recorder::{Checkpoints, NodeFacts, Recorder, SignError, Signer};
    use crate::store::{SealKeys, SqliteStore};

    struct Software(SigningKey);

    #[async_trait]
    impl Signer for Software {
        fn key(&self) -> VerifierKey {
            let public = self.0.verifying_key();
            VerifierKey::new("test/claviger", SignatureType::Ed25519, public.as_bytes()).unwrap()
        }

        async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
            Ok(self.0.sign(text.as_bytes()).to_bytes().to_vec())
        }
    }

    /// A database whose log has checkpoints over these numbers of records, and one record more.
    async fn signed_log(file: &Path, sizes: [u64; 2]) -> VerifierKey {
        let store = Arc::new(SqliteStore::open(file, SealKeys::new()).await.unwrap());
        let node = NodeFacts {
            name: "node-1".into(),
            server_version: "0.1.0".into(),
            configuration_sha256: None,
        };
        let signer = Arc::new(Software(SigningKey::from_bytes(&[7; 32])));
        for size in sizes {
            let recorder = Recorder::start(store.clone(), node.clone()).await.unwrap();
            let written = recorder.status().head.size;
            for number in written..size {
                let event =
                    Event::new(EventName::KmipGet, Actor::Server).detail("number", number.to_string());
                recorder.commit(Vec::new(), event).await.unwrap();
            }
            recorder.sign_with(Checkpoints {
                origin: "test/claviger".into(),
                signer: signer.clone(),
                cosigner: None,
                interval: Duration::from_millis(1),
                heartbeat: Duration::from_hours(1),
            });
            let mut checkpoints = recorder.checkpoints();
            checkpoints
                .wait_for(|status| status.lag(size) == 0)
                .await
                .unwrap();
            recorder.stop().await;
        }
        let recorder = Recorder::start(store.clone(), node).await.unwrap();
        let last = Event::new(EventName::ServerStop, Actor::Server);
        recorder.commit(Vec::new(), last).await.unwrap();
        recorder.stop().await;
        store.close().await;
        signer.key()
    }

    fn of(record: Option<&str>, from: Option<u64>) -> Arguments {
        Arguments {
            record: record.map(str::to_owned),
            from,
            to: None,
            file: None,
        }
    }

    #[tokio::test]
    async fn each_record_is_proved_by_a_file_that_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("claviger.db");
        let key = signed_log(&file, [300, 700]).await;
        let source = Source::database(file.to_str().unwrap(), None).await.unwrap();
        for sequence in [0, 1, 255, 256, 511, 699] {
            let (text, _) = make(&of(Some(&sequence.to_string()), None), &source)
                .await
                .unwrap();
            let proof: TlogProof = text.parse().unwrap();
            let record = proof.extra.clone().unwrap();
            let (checkpoint, _) = proof.verify(&record, [&key]).unwrap();
            assert_eq!((checkpoint.head.size, proof.index), (700, sequence));
            let record = crate::custody::Record::from_bytes(&record).unwrap();
            assert_eq!(record.sequence, sequence);
            let by_id = make(&of(Some(&record.id.to_string()), None), &source)
                .await
                .unwrap();
            assert_eq!(by_id.0, text, "found by its identifier");
        }
        let beyond = make(&of(Some("700"), None), &source).await.unwrap_err();
        assert!(
            beyond.to_string().contains("is not in the checkpoint"),
            "{beyond}"
        );
        let absent = make(&of(Some("701"), None), &source).await.unwrap_err();
        assert!(absent.to_string().contains("no record 701"), "{absent}");
    }

    #[tokio::test]
    async fn a_checkpoint_that_was_kept_is_proved_to_be_continued() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("claviger.db");
        let key = signed_log(&file, [300, 700]).await;
        let source = Source::database(file.to_str().unwrap(), None).await.unwrap();
        let (text, said) = make(&of(None, Some(300)), &source).await.unwrap();
        assert!(said.contains("continues"), "{said}");
        let (proof, note) = text.split_once("\n\n").unwrap();
        assert!(proof.starts_with("old 300\n"), "{text}");
        let note: SignedNote = note.parse().unwrap();
        assert!(note.verified_by([&key]).is_ok());
        // A checkpoint that is not kept here any more is proved by its size.
        let (_, said) = make(&of(None, Some(299)), &source).await.unwrap();
        assert!(said.contains("first 299, whose root is"), "{said}");
        let refusal = make(&of(None, Some(701)), &source).await.unwrap_err();
        assert!(refusal.to_string().contains("701"), "{refusal}");
    }
}
