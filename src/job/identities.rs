//! The part of the comparison that is not of keys: whether adapters, client certificates, root keys and access tokens are in the
//! database as the custody log says.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::ledger::{LedgerError, Reading};
use crate::custody::{EventName, IdentityFacts, IdentityFault, Outcome, Record};
use crate::store::Store;

/// How often it is looked again where something is written meanwhile.
const LOOKS: usize = 8;

/// A row that is not as the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFinding {
    /// Which one, in words.
    pub row: String,
    /// What is wrong.
    pub fault: IdentityFault,
}

/// The access tokens as the log has them.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<Uuid, Told>);

/// What a record says of a token.
#[derive(Clone, Copy, Debug)]
struct Told {
    is_there: bool,
    sequence: u64,
}

impl Tokens {
    /// Reads the next record of the log.
    pub(super) fn read(&mut self, record: &Record) {
        let is_there = match record.event {
            EventName::TokenCreate => true,
            EventName::TokenRevoke => false,
            _ => return,
        };
        let id = record.details.get("id").and_then(|id| id.parse().ok());
        if let (Outcome::Success, Some(id)) = (record.outcome, id) {
            let sequence = record.sequence;
            self.0.insert(id, Told { is_there, sequence });
        }
    }

    fn compare(&self, found: &BTreeSet<Uuid>) -> Vec<(Uuid, IdentityFault)> {
        let put_there = found.iter().filter_map(|id| {
            let fault = match self.0.get(id) {
                None => IdentityFault::Unrecorded,
                Some(told) if told.is_there => return None,
                Some(Told { sequence, .. }) => IdentityFault::PutBack { sequence: *sequence },
            };
            Some((*id, fault))
        });
        let missing = self.0.iter().filter_map(|(id, told)| {
            let sequence = told.sequence;
            (told.is_there && !found.contains(id)).then_some((*id, IdentityFault::Missing { sequence }))
        });
        put_there.chain(missing).collect()
    }
}

/// What the database has, as far as its seals are good.
struct Rows {
    identities: Vec<IdentityFacts>,
    tokens: BTreeSet<Uuid>,
    /// A row's seal is wrong, or could not be looked at: what is not here may be there.
    is_incomplete: bool,
}

impl Rows {
    async fn read(store: &dyn Store) -> Result<Self, LedgerError> {
        let (root_keys, adapters) = (store.root_keys().await?, store.adapters().await?);
        let (certificates, tokens) = (store.certificates(None).await?, store.access_tokens().await?);
        let mut identities: Vec<_> = root_keys.rows.iter().map(IdentityFacts::from).collect();
        identities.extend(adapters.rows.iter().map(IdentityFacts::from));
        identities.extend(certificates.rows.iter().map(IdentityFacts::from));
        Ok(Self {
            identities,
            tokens: tokens.rows.iter().map(|token| token.id).collect(),
            is_incomplete: !(root_keys.refused.is_empty()
                && adapters.refused.is_empty()
                && certificates.refused.is_empty()
                && tokens.refused.is_empty()),
        })
    }

    /// What is not as the log says, as far as it was read.
    fn judge(&self, reading: &Reading) -> Vec<IdentityFinding> {
        let mut inventory = reading.inventory.clone();
        let mut found = Vec::new();
        for facts in &self.identities {
            if let Err(fault) = inventory.compare(facts) {
                found.push((facts.identity().to_string(), fault));
            }
        }
        let missing = inventory.missing().into_iter();
        found.extend(missing.map(|(which, fault)| (which.to_string(), fault)));
        let tokens = reading.tokens.compare(&self.tokens).into_iter();
        found.extend(tokens.map(|(id, fault)| (format!("access token {id}"), fault)));
        let is_known = |fault: &IdentityFault| match fault {
            // A record that was pruned may have entered it.
            IdentityFault::Unrecorded => !reading.is_pruned,
            IdentityFault::Missing { .. } => !self.is_incomplete,
            IdentityFault::PutBack { .. } | IdentityFault::Other { .. } => true,
        };
        let known = found.into_iter().filter(|(_, fault)| is_known(fault));
        known.map(|(row, fault)| IdentityFinding { row, fault }).collect()
    }
}

/// Compares them all. What is written meanwhile is no finding: only what is found twice, the log having been read in between.
pub(super) async fn compare(
    store: &dyn Store,
    reading: &mut Reading,
) -> Result<Vec<IdentityFinding>, LedgerError> {
    let mut before = None;
    for _ in 0..LOOKS {
        let rows = Rows::read(store).await?;
        reading.read_on(store).await?;
        let found = rows.judge(reading);
        if found.is_empty() || before.as_ref() == Some(&found) {
            return Ok(found);
        }
        before = Some(found);
    }
    // It is written all the time; the next comparison looks again.
    Ok(Vec::new())
}
