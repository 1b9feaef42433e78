//! The task that asks the witnesses, and keeps their cosignatures with the checkpoint.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{CheckpointStatus, Consistency, Cosigner};
use crate::custody::{Checkpoint, Hash, NoteSignature, SignedNote};
use crate::store::{self, Store, StoredCheckpoint, WriteStore};

pub(crate) struct Cosigning {
    pub(crate) store: Arc<dyn WriteStore>,
    pub(crate) cosigner: Arc<dyn Cosigner>,
    pub(crate) kept: watch::Receiver<Option<StoredCheckpoint>>,
    pub(crate) status: Arc<watch::Sender<CheckpointStatus>>,
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
        if let Err(error) = self.keep(stored, note, cosigned.signatures).await {
            tracing::warn!(%error, "the witnesses' signatures of a checkpoint could not be kept");
        }
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
