//! The changes, each to its place, and what sealing their rows takes.

use std::collections::HashMap;

use sqlx::sqlite::SqliteConnection;

use super::identity::{delete_adapter, found};
use super::prune;
use super::root_key::Life;
use super::token::delete_access_token;
use crate::adapter::{AdapterId, RootKeyId};
use crate::store::sqlite::read::within;
use crate::store::table::AdapterColumns;
use crate::store::{Applied, Change, Error, SealKeys};

/// What making changes takes: the open seal keys, and what was looked up in this transaction.
pub(super) struct Changes {
    pub(super) keys: SealKeys,
    root_keys: HashMap<AdapterId, RootKeyId>,
    pub(super) lives: HashMap<RootKeyId, Life>,
    pub(super) last_ordinal: Option<i64>,
}

impl Changes {
    pub(super) fn new(keys: SealKeys) -> Self {
        Self {
            keys,
            root_keys: HashMap::new(),
            lives: HashMap::new(),
            last_ordinal: None,
        }
    }

    /// Forgets what was looked up, since what it was read from was taken back.
    pub(super) fn forget(&mut self) {
        self.root_keys.clear();
        self.lives.clear();
        self.last_ordinal = None;
    }

    pub(super) async fn apply(
        &mut self,
        connection: &mut SqliteConnection,
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
                self.root_keys.remove(adapter);
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
            Change::CreateAdapter(adapter) => self.create_adapter(connection, adapter).await,
            Change::DeleteAdapter(id) => {
                self.root_keys.remove(id);
                self.last_ordinal = None;
                delete_adapter(connection, *id).await
            }
            Change::AddCertificate(certificate) => self.add_certificate(connection, certificate).await,
            Change::PruneRecords { below } => prune::let_go(connection, *below).await,
            Change::RemoveCertificate(fingerprint) => {
                let removed = sqlx::query("DELETE FROM client_certificate WHERE fingerprint = ?")
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
    pub(super) async fn root_key_of(
        &mut self,
        connection: &mut SqliteConnection,
        adapter: AdapterId,
    ) -> Result<RootKeyId, Error> {
        const ADAPTER: &str = "SELECT * FROM adapter WHERE id = ?";
        if let Some(root_key) = self.root_keys.get(&adapter) {
            return Ok(*root_key);
        }
        let found = within::<AdapterColumns>(connection, ADAPTER, adapter.uuid(), &self.keys)
            .await?
            .ok_or_else(|| Error::NotFound {
                what: "adapter",
                id: adapter.to_string(),
            })?;
        self.root_keys.insert(adapter, found.root_key);
        Ok(found.root_key)
    }
}
