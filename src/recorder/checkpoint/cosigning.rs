//! The task that asks the witnesses, and keeps their cosignatures with the checkpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{CheckpointStatus, Consistency, Cosigner, WitnessStatus};
use crate::custody::{Checkpoint, Hash, NoteSignature, SignedNote};
use crate::recorder::{Hold, Rollback};
use crate::store::{self, Store, StoredCheckpoint, WriteStore};

pub(crate) struct Cosigning {
    pub(crate) store: Arc<dyn WriteStore>,
    pub(crate) cosigner: Arc<dyn Cosigner>,
    pub(crate) kept: watch::Receiver<Option<StoredCheckpoint>>,
    pub(crate) status: Arc<watch::Sender<CheckpointStatus>>,
    /// Where it is said that the log was taken back.
    pub(crate) hold: Arc<watch::Sender<Option<Hold>>>,
    /// The number of records up to which that was accepted.
    pub(crate) accepted: Arc<AtomicU64>,
}

/// Proofs from the store.
struct OfStore(Arc<dyn WriteStore>);

#[async_trait]
impl Consistency for OfStore {
    async fn proof(&self, from: u64, size: u64) -> Result<Vec<Hash>, store::Error> {
        let store: &dyn Store = &*self.0;
        store::custody_consistency(store, from, size).await
    }
}

impl Cosigning {
    /// Asks for each checkpoint, of several that came meanwhile for the last, until there will be no more.
    pub(crate) async fn run(mut self) {
        while self.kept.changed().await.is_ok() {
            let Some(stored) = self.kept.borrow_and_update().clone() else {
                continue;
            };
            self.ask(&stored).await;
        }
    }

    async fn ask(&self, stored: &StoredCheckpoint) {
        // It was written, or compared with the log, a moment ago.
        let Ok(note) = stored.note.parse::<SignedNote>() else {
            return;
        };
        let Ok(checkpoint) = note.text.parse::<Checkpoint>() else {
            return;
        };
        let log = OfStore(Arc::clone(&self.store));
        let cosigned = self.cosigner.cosign(&checkpoint, &note, &log).await;
        match self.keep(stored, note, cosigned.signatures).await {
            Ok(()) => {}
            Err(store::Error::HeadMoved) => {
                tracing::debug!("another server has kept the witnesses' signatures of this checkpoint");
            }
            Err(error) => {
                tracing::warn!(%error, "the witnesses' signatures of a checkpoint could not be kept");
            }
        }
        self.believe(&checkpoint, &cosigned.witnesses);
        for witness in &cosigned.witnesses {
            if let Some(trouble) = &witness.trouble {
                tracing::warn!(witness = %witness.name, "a witness did not cosign: {trouble}");
            }
        }
        self.status.send_modify(|status| {
            status.witnesses = cosigned.witnesses;
            if cosigned.quorum {
                status.cosigned = Some(stored.size);
            }
        });
    }

    /// A witness that has cosigned more records than there are has seen a log that was taken back since: it is held.
    fn believe(&self, checkpoint: &Checkpoint, witnesses: &[WitnessStatus]) {
        let accepted = self.accepted.load(Ordering::Relaxed);
        let ahead = witnesses
            .iter()
            .filter_map(|witness| Some((witness.ahead?, &witness.name)));
        let Some((size, witness)) = ahead.max().filter(|(size, _)| *size > accepted) else {
            return;
        };
        let rollback = Rollback {
            known_size: size,
            known_root: None,
            known_checkpoint: None,
            found: checkpoint.head,
            root_there: None,
            witness: Some(witness.clone()),
        };
        tracing::error!(
            "no key is served any more: the custody log is not the one that was written last: {rollback}; put the right \
             database back, or have two administrators open a new epoch: claviger custody epoch"
        );
        self.hold.send_if_modified(|hold| {
            let is_new = hold.is_none();
            if is_new {
                *hold = Some(Hold {
                    rollback: Arc::new(rollback),
                    deferred: Vec::new(),
                });
            }
            is_new
        });
    }

    async fn keep(
        &self,
        stored: &StoredCheckpoint,
        mut note: SignedNote,
        signatures: Vec<NoteSignature>,
    ) -> Result<(), store::Error> {
        let before = note.signatures.len();
        for signature in signatures {
            let is_same = |each: &NoteSignature| each.name == signature.name && each.id == signature.id;
            if !note.signatures.iter().any(is_same) {
                note.signatures.push(signature);
            }
        }
        if note.signatures.len() == before {
            return Ok(());
        }
        let mut transaction = self.store.begin().await?;
        transaction.replace_checkpoint(stored, &note.to_string()).await?;
        transaction.commit().await?;
        let note = note.to_string();
        self.status.send_modify(|status| {
            if let Some(latest) = status.latest.as_mut().filter(|latest| latest.size == stored.size) {
                latest.note = note;
            }
        });
        Ok(())
    }
}
