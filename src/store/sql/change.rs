//! The changes, each to its place, and what sealing their rows takes.

use std::collections::HashMap;

use crate::adapter::{AdapterId, RootKeyId};
use crate::store::{Applied, Change, Error, SealKeys};

use super::dialect::Connection;
use super::identity::{delete_adapter, found};
use super::name::Given;
use super::prune;
use super::quota::Tenant;
use super::root_key::Life;
use super::token::delete_access_token;

/// What making changes takes: the open seal keys, and what was looked up in this transaction.
pub(in crate::store) struct Changes {
    pub(super) keys: SealKeys,
    pub(super) tenants: HashMap<AdapterId, Tenant>,
    pub(super) lives: HashMap<RootKeyId, Life>,
    pub(super) last_ordinal: Option<i64>,
    /// Names whose objects are looked at once all changes are made.
    pub(super) given: Vec<Given>,
    pub(super) names_wait: bool,
}

impl Changes {
    pub(in crate::store) fn new(keys: SealKeys) -> Self {
        Self {
            keys,
            tenants: HashMap::new(),
            lives: HashMap::new(),
            last_ordinal: None,
            given: Vec::new(),
            names_wait: false,
        }
    }

    /// Forgets what was looked up, since what it was read from was taken back.
    pub(in crate::store) fn forget(&mut self) {
        self.tenants.clear();
        self.lives.clear();
        self.last_ordinal = None;
        self.given.clear();
    }

    pub(in crate::store) async fn apply(
        &mut self,
        connection: &mut Connection,
        change: &Change,
        applied: &mut Applied,
    ) -> Result<(), Error> {
        match change {
            Change::PutKey {
                row,
                expected_revision,
            } => self.put_key(connection, row, *expected_revision, applied).await,
            Change::CreateRootKey(root_key) => self.create_root_key(connection, root_key).await,
            Change::UseRootKey(id) => self.require_enabled(connection, *id).await,
            Change::RotateRootKey {
                root_key,
                superseded,
                from,
            } => self.rotate_root_key(connection, root_key, superseded, from).await,
            Change::SetRootKeyState { root_key, from, to } => {
                self.set_root_key_state(connection, *root_key, from, to).await
            }
            Change::SetVersionState {
                root_key,
                version,
                from,
                to,
            } => {
                self.set_version_state(connection, *root_key, *version, from, to)
                    .await
            }
            Change::MoveAdapter { adapter, to } => {
                self.tenants.remove(adapter);
                self.move_adapter(connection, *adapter, *to).await
            }
            Change::SetForAdapter {
                adapter,
                kind,
                document,
            } => {
                self.set_for_adapter(connection, *adapter, *kind, document.clone())
                    .await
            }
            Change::SetQuota { adapter, quota } => self.set_quota(connection, *adapter, quota).await,
            Change::ReplaceForAdapter {
                adapter,
                kind,
                from,
                to,
            } => {
                self.require_set(connection, *adapter, *kind, from.as_deref())
                    .await?;
                self.set_for_adapter(connection, *adapter, *kind, to.clone())
                    .await
            }
            Change::CreateAdapter(adapter) => self.create_adapter(connection, adapter).await,
            Change::DeleteAdapter(id) => {
                self.tenants.remove(id);
                self.last_ordinal = None;
                delete_adapter(connection, *id).await
            }
            Change::AddCertificate(certificate) => self.add_certificate(connection, certificate).await,
            Change::PruneRecords { below } => prune::let_go(connection, *below).await,
            Change::RemoveCertificate(fingerprint) => {
                let removed = sqlx::query("DELETE FROM client_certificate WHERE fingerprint = $1")
                    .bind(fingerprint.0.to_vec())
                    .execute(connection)
                    .await
                    .map_err(Error::database("remove a certificate"))?;
                found(removed.rows_affected(), "client certificate", fingerprint)
            }
            Change::CreateAccessToken(token) => self.create_access_token(connection, token).await,
            Change::DeleteAccessToken(id) => delete_access_token(connection, *id).await,
        }
    }

    /// The root key of an adapter, whose row is verified; looked up once a transaction.
    pub(in crate::store) async fn root_key_of(
        &mut self,
        connection: &mut Connection,
        adapter: AdapterId,
    ) -> Result<RootKeyId, Error> {
        Ok(self.tenant(connection, adapter).await?.root_key)
    }
}

/// Makes these changes in a transaction that goes on, all or none: after an error it is as it was before.
pub(in crate::store) async fn apply_all_or_none(
    made: &mut Changes,
    transaction: &mut Connection,
    changes: &[Change],
) -> Result<Applied, Error> {
    if has_nothing_to_take_back(changes) {
        return apply(made, transaction, changes).await;
    }
    savepoint(transaction, "SAVEPOINT change", "begin a change").await?;
    let result = apply(made, transaction, changes).await;
    if result.is_err() {
        savepoint(transaction, "ROLLBACK TO SAVEPOINT change", "take back a change").await?;
    }
    savepoint(transaction, "RELEASE SAVEPOINT change", "make a change").await?;
    result
}

async fn savepoint(
    transaction: &mut Connection,
    statement: &'static str,
    doing: &'static str,
) -> Result<(), Error> {
    let done = sqlx::query(statement).execute(transaction).await;
    done.map(|_| ()).map_err(Error::database(doing))
}

/// Makes these changes in order, up to one that is refused.
async fn apply(
    made: &mut Changes,
    connection: &mut Connection,
    changes: &[Change],
) -> Result<Applied, Error> {
    let mut applied = Applied::default();
    let keys = changes
        .iter()
        .filter(|change| matches!(change, Change::PutKey { .. }));
    made.names_wait = keys.count() > 1;
    for change in changes {
        let result = made.apply(connection, change, &mut applied).await;
        // An adapter that was made before it may be taken back with it.
        result.inspect_err(|_| made.forget())?;
    }
    let settled = made.settle_names(connection).await;
    settled.inspect_err(|_| made.forget())?;
    Ok(applied)
}

/// Whether these changes, where one of them is refused, leave nothing to be taken back: a key that is refused has not been
/// written, and what comes before it only looks.
fn has_nothing_to_take_back(changes: &[Change]) -> bool {
    let before_last = changes.split_last().map_or(changes, |(last, before)| match last {
        Change::PutKey { .. } => before,
        _ => changes,
    });
    before_last
        .iter()
        .all(|change| matches!(change, Change::UseRootKey(_)))
}
