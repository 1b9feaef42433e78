//! The scan: which wrapped keys lie in the key manager, and which of them the rows name.
//!
//! What only the key manager has is reported: it protects nothing here, and may be left of a kill, of a key manager that was
//! away when it was to be given up, or of another service. What only the rows name was deleted there, if the key manager says so
//! of that very key, and is destroyed then; a list in which it is missing is not enough.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::adapter::{Adapter, RootKey, RootKeyId};
use crate::kmip::ttlv::DateTime;
use crate::recorder::{Deletion, Entered, Recorder};
use crate::root_key::{KeptThere, Pieces, RootKeys};
use crate::store::{self, KeyRow, Store};

/// Between two scans that nobody asks for.
const REST: Duration = Duration::from_hours(1);
/// Before the first one: root keys are opened meanwhile.
const FIRST: Duration = Duration::from_mins(1);
/// Rows that are read at a time.
const BATCH: u32 = 256;
/// The most failures that a scan tells one by one.
const TROUBLES: usize = 20;

/// What a scan found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// When it began.
    pub began_at: OffsetDateTime,
    /// When it ended.
    pub ended_at: OffsetDateTime,
    /// How many wrapped keys lie in each backend that keeps any itself.
    pub there: BTreeMap<String, u64>,
    /// How many rows name one.
    pub rows: u64,
    /// What no row names, each with its backend.
    pub only_there: Vec<(String, KeptThere)>,
    /// What was deleted there; its objects are destroyed now.
    pub destroyed: Vec<Deletion>,
    /// What could not be found out.
    pub troubles: Vec<String>,
}

impl Findings {
    fn trouble(&mut self, trouble: String) {
        tracing::warn!(%trouble, "the scan of the wrapped keys in the key manager has a gap");
        if self.troubles.len() < TROUBLES {
            self.troubles.push(trouble);
        }
    }
}

/// The scan. A clone is the same one.
#[derive(Clone)]
pub struct Inventory {
    store: Arc<dyn Store>,
    recorder: Recorder,
    root_keys: RootKeys,
    last: Arc<Mutex<Option<Arc<Findings>>>>,
    alone: Arc<tokio::sync::Mutex<()>>,
}

/// What a scan has listed.
#[derive(Default)]
struct Listed {
    /// The backends of which it has a list.
    backends: HashSet<String>,
    /// By what the key manager calls it; what a row was found for is taken out.
    there: HashMap<String, (String, KeptThere)>,
}

impl Inventory {
    /// The scan over this store and these root keys.
    pub fn new(store: Arc<dyn Store>, recorder: Recorder, root_keys: RootKeys) -> Self {
        Self {
            store,
            recorder,
            root_keys,
            last: Arc::default(),
            alone: Arc::default(),
        }
    }

    /// Scans every hour until it is dropped.
    pub async fn run(self) {
        tokio::time::sleep(FIRST).await;
        loop {
            if let Err(error) = self.scan().await {
                tracing::error!(%error, "the wrapped keys in the key manager can't be compared with the rows");
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// What the last scan found.
    pub fn last(&self) -> Option<Arc<Findings>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Scans now, or after a scan that is under way.
    pub async fn scan(&self) -> Result<Arc<Findings>, store::Error> {
        let _alone = self.alone.lock().await;
        let began_at = OffsetDateTime::now_utc();
        let mut findings = Findings {
            began_at,
            ended_at: began_at,
            there: BTreeMap::new(),
            rows: 0,
            only_there: Vec::new(),
            destroyed: Vec::new(),
            troubles: Vec::new(),
        };
        // First the lists: what is put there later is missing in them, and is found by asking for it.
        let names: Vec<_> = self.root_keys.names().map(str::to_owned).collect();
        let mut listed = self.list(names, &mut findings).await;
        for (backend, _) in listed.there.values() {
            *findings.there.entry(backend.clone()).or_default() += 1;
        }
        if !listed.backends.is_empty() {
            self.compare(&mut listed, &mut findings).await?;
            self.settle(listed, &mut findings).await;
        }
        findings.ended_at = OffsetDateTime::now_utc();
        if !findings.only_there.is_empty() {
            tracing::warn!(
                number = findings.only_there.len(),
                "wrapped keys in the key manager belong to no key here: `claviger key scan` tells which"
            );
        }
        let findings = Arc::new(findings);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&findings));
        Ok(findings)
    }

    async fn list(&self, backends: impl IntoIterator<Item = String>, findings: &mut Findings) -> Listed {
        let mut listed = Listed::default();
        for name in backends {
            let Ok(backend) = self.root_keys.backend(&name) else {
                continue;
            };
            match backend.inventory().await {
                Ok(None) => {}
                Ok(Some(there)) => {
                    let there = there
                        .into_iter()
                        .map(|kept| (kept.id.clone(), (name.clone(), kept)));
                    listed.there.extend(there);
                    listed.backends.insert(name);
                }
                Err(error) => findings.trouble(error.to_string()),
            }
        }
        listed
    }

    /// Looks at every row, a page at a time.
    async fn compare(&self, listed: &mut Listed, findings: &mut Findings) -> Result<(), store::Error> {
        let root_keys: HashMap<_, _> = self
            .store
            .root_keys()
            .await?
            .rows
            .into_iter()
            .map(|root_key| (root_key.id, root_key))
            .collect();
        for adapter in self.store.adapters().await?.rows {
            let mut after = None;
            loop {
                let page = self.store.locate(adapter.id, &[], after, BATCH).await?;
                for error in page.refused {
                    findings.trouble(format!("adapter {}: {error}", adapter.name));
                }
                for row in &page.rows {
                    self.look(&adapter, row, &root_keys, listed, findings).await;
                }
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Finds what a row names in the lists; what is in none is asked for.
    async fn look(
        &self,
        adapter: &Adapter,
        row: &KeyRow,
        root_keys: &HashMap<RootKeyId, RootKey>,
        listed: &mut Listed,
        findings: &mut Findings,
    ) {
        let (Some(wrapped), Some(pieces)) = (&row.wrapped, Pieces::of(&row.object)) else {
            return;
        };
        let Some(root_key) = root_keys.get(&wrapped.root_key) else {
            return;
        };
        let Ok(backend) = self.root_keys.for_root(root_key) else {
            return;
        };
        let kept = pieces.kept_there(&*backend, root_key, &wrapped.kek);
        if kept.is_empty() {
            return;
        }
        findings.rows += 1;
        let mut all_listed = true;
        for id in &kept {
            all_listed &= listed.there.remove(id).is_some();
        }
        if all_listed || !listed.backends.contains(&root_key.backend) {
            return;
        }
        let id = row.object.id();
        let Err(error) = pieces.verify_kept(&*backend, root_key, &wrapped.kek).await else {
            return;
        };
        match Deletion::of(&error) {
            Some(deletion) => self.enter(adapter, id, deletion, findings).await,
            None => findings.trouble(format!("key {id} of adapter {}: {error}", adapter.name)),
        }
    }

    async fn enter(&self, adapter: &Adapter, id: Uuid, deletion: Deletion, findings: &mut Findings) {
        let now = DateTime::from(OffsetDateTime::now_utc());
        let entered = self
            .recorder
            .enter_deletion(&*self.store, &self.root_keys, &deletion, now)
            .await;
        match entered {
            Ok(Entered::Destroyed) => findings.destroyed.push(deletion),
            // Somebody else came to it in the meantime.
            Ok(Entered::Already | Entered::Nothing) => {}
            Err(error) => findings.trouble(format!(
                "key {id} of adapter {} was deleted in the key manager, and that can't be recorded: {error}",
                adapter.name
            )),
        }
    }

    /// What is left of the lists belongs to no row, unless its row is on its way, or has gone on to another since.
    async fn settle(&self, mut listed: Listed, findings: &mut Findings) {
        listed.there.retain(|_, (_, kept)| !kept.is_new);
        if listed.there.is_empty() {
            return;
        }
        let backends: HashSet<_> = listed.there.values().map(|(name, _)| name.clone()).collect();
        let now = self.list(backends, findings).await;
        let mut left: Vec<_> = listed
            .there
            .into_iter()
            .filter(|(id, _)| now.there.contains_key(id))
            .map(|(_, found)| found)
            .collect();
        left.sort_by(|(_, one), (_, other)| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        findings.only_there = left;
    }
}
