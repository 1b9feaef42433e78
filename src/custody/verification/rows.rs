//! The rows of the store, compared with what the records say of them.

use uuid::Uuid;

use super::super::{
    Identity, IdentityFacts, IdentityFault, Inventory, Record, RowFacts, RowFault, RowLedger,
};
use super::finding::{Code, Findings};

/// What the rows of the store have to be.
pub(super) struct Rows {
    keys: RowLedger,
    identities: Inventory,
    /// The rows are of the log at this size.
    at: u64,
    /// Whether the records begin with the log's first: then nothing is there that none of them names.
    whole: bool,
}

impl Rows {
    pub(super) fn new(from: u64, at: u64) -> Self {
        Self {
            keys: RowLedger::from(from),
            identities: Inventory::new(),
            at,
            whole: from == 0,
        }
    }

    /// Takes the next record.
    pub(super) fn observe(&mut self, record: &Record) {
        if record.sequence < self.at {
            self.keys.read(record);
            self.identities.read(record);
        }
    }

    /// Compares the row of a key.
    pub(super) fn key(&mut self, row: &RowFacts, findings: &mut Findings) {
        if let Some(Err(fault)) = self.keys.compare(row) {
            key_told(row.identifier, &fault, findings);
        }
    }

    /// Tells of the keys that no row was compared with.
    pub(super) fn missing_keys(&self, findings: &mut Findings) {
        let mut missing: Vec<_> = self.keys.missing().collect();
        missing.sort_by_key(|(id, _)| *id);
        for (id, fault) in missing {
            key_told(id, &fault, findings);
        }
    }

    /// Compares an adapter, a client certificate or a root key.
    pub(super) fn identity(&mut self, found: &IdentityFacts, findings: &mut Findings) {
        if let Err(fault) = self.identities.compare(found)
            && (self.whole || fault != IdentityFault::Unrecorded)
        {
            identity_told(&found.identity(), &fault, findings);
        }
    }

    /// Tells of those that were not compared.
    pub(super) fn missing_identities(&self, findings: &mut Findings) {
        for (which, fault) in self.identities.missing() {
            identity_told(&which, &fault, findings);
        }
    }
}

fn key_told(id: Uuid, fault: &RowFault, findings: &mut Findings) {
    let (code, record) = match fault {
        RowFault::Unrecorded => (Code::RowUnknown, None),
        RowFault::Older { sequence, .. } => (Code::RowRolledBack, Some(*sequence)),
        RowFault::Other { sequence, .. } => (Code::RowSwapped, Some(*sequence)),
        RowFault::Missing { sequence } => (Code::RowMissing, Some(*sequence)),
    };
    findings.add(code, record, format!("the key {id} in the store: {fault}"));
}

fn identity_told(which: &Identity, fault: &IdentityFault, findings: &mut Findings) {
    let (code, record) = match fault {
        IdentityFault::Unrecorded => (Code::RowUnknown, None),
        IdentityFault::PutBack { sequence } => (Code::RowRolledBack, Some(*sequence)),
        IdentityFault::Other { sequence, .. } => (Code::RowSwapped, Some(*sequence)),
        IdentityFault::Missing { sequence } => (Code::RowMissing, Some(*sequence)),
    };
    findings.add(code, record, format!("the {which} in the store: {fault}"));
}
