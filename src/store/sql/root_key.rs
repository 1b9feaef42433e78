//! Root keys, their versions, and what may be done under them.

use std::collections::BTreeMap;

use crate::adapter::{RootKey, RootKeyId, RootKeyState, RootKeyVersion, VersionState};
use crate::store::Error;
use crate::store::table::{RootKeyColumns, RootKeyVersionColumns, Sealed};

use super::change::Changes;
use super::dialect::Connection;
use super::identity::{found, taken};
use super::read::{columns as columns_of, within};

const ROOT_KEY: &str = "SELECT * FROM root_key WHERE id = $1";

/// What a transaction has to know of a root key.
pub(in crate::store) struct Life {
    state: RootKeyState,
    present: u32,
    earlier: BTreeMap<u32, VersionState>,
}

impl Changes {
    pub(in crate::store) async fn create_root_key(
        &mut self,
        connection: &mut Connection,
        root_key: &RootKey,
    ) -> Result<(), Error> {
        self.lives.remove(&root_key.id);
        let mut columns = RootKeyColumns::of(root_key)?;
        columns.seal = columns.columns().seal(&*self.keys.get(root_key.id)?).to_vec();
        sqlx::query(
            "INSERT INTO root_key (id, name, backend, token_label, token_serial, label, version, check_value, \
             seal_key_profile, seal_key, created_at, life, origin, seal) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(columns.id)
        .bind(columns.name)
        .bind(columns.backend)
        .bind(columns.token_label)
        .bind(columns.token_serial)
        .bind(columns.label)
        .bind(columns.version)
        .bind(columns.check_value)
        .bind(columns.seal_key_profile)
        .bind(columns.seal_key)
        .bind(columns.created_at)
        .bind(columns.life)
        .bind(columns.origin)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("enter a root key", "root key", &root_key.name))?;
        Ok(())
    }

    pub(in crate::store) async fn rotate_root_key(
        &mut self,
        connection: &mut Connection,
        root_key: &RootKey,
        superseded: &RootKeyVersion,
        from: &RootKeyState,
    ) -> Result<(), Error> {
        let present = self.present(&mut *connection, root_key.id).await?;
        if present.version != superseded.version || present.state != *from {
            return Err(Error::RootKeyMoved {
                root_key: root_key.id,
            });
        }
        self.write_root_key(&mut *connection, root_key).await?;
        let mut columns = RootKeyVersionColumns::of(superseded)?;
        columns.seal = columns.columns().seal(&*self.keys.get(root_key.id)?).to_vec();
        sqlx::query(
            "INSERT INTO root_key_version (id, version, label, check_value, superseded_at, life, origin, seal) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(columns.id)
        .bind(columns.version)
        .bind(columns.label)
        .bind(columns.check_value)
        .bind(columns.superseded_at)
        .bind(columns.life)
        .bind(columns.origin)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken(
            "keep a version of a root key",
            "version of a root key",
            &format!("{} version {}", root_key.id, superseded.version),
        ))?;
        Ok(())
    }

    pub(in crate::store) async fn set_root_key_state(
        &mut self,
        connection: &mut Connection,
        id: RootKeyId,
        from: &RootKeyState,
        to: &RootKeyState,
    ) -> Result<(), Error> {
        let present = self.present(&mut *connection, id).await?;
        if present.state != *from {
            return Err(Error::RootKeyMoved { root_key: id });
        }
        let changed = RootKey {
            state: to.clone(),
            ..present
        };
        self.write_root_key(connection, &changed).await
    }

    pub(in crate::store) async fn set_version_state(
        &mut self,
        connection: &mut Connection,
        id: RootKeyId,
        version: u32,
        from: &VersionState,
        to: &VersionState,
    ) -> Result<(), Error> {
        let rows = versions(&mut *connection, id).await?;
        let mut kept = None;
        for columns in rows {
            let row = columns.open(&self.keys)?;
            if row.version == version {
                kept = Some(row);
            }
        }
        let Some(kept) = kept else {
            return Err(Error::VersionGone {
                root_key: id,
                version,
            });
        };
        if kept.state != *from {
            return Err(Error::RootKeyMoved { root_key: id });
        }
        let keys: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM managed_object WHERE root_key = $1 AND root_key_version = $2",
        )
        .bind(id.uuid().as_bytes().to_vec())
        .bind(i64::from(version))
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::database("count keys"))?;
        if keys > 0 {
            let by = if keys == 1 {
                "one key".into()
            } else {
                format!("{keys} keys")
            };
            return Err(Error::InUse {
                what: "version of a root key",
                id: kept.label,
                by,
            });
        }
        self.lives.remove(&id);
        let changed = RootKeyVersion {
            state: to.clone(),
            ..kept
        };
        let mut columns = RootKeyVersionColumns::of(&changed)?;
        columns.seal = columns.columns().seal(&*self.keys.get(id)?).to_vec();
        let written =
            sqlx::query("UPDATE root_key_version SET life = $1, seal = $2 WHERE id = $3 AND version = $4")
                .bind(columns.life)
                .bind(columns.seal)
                .bind(columns.id)
                .bind(columns.version)
                .execute(connection)
                .await
                .map_err(Error::database("change a version of a root key"))?;
        found(written.rows_affected(), "version of a root key", &changed.label)
    }

    /// Refuses where nothing may be made, released or wrapped anew under a root key.
    pub(in crate::store) async fn require_enabled(
        &mut self,
        connection: &mut Connection,
        id: RootKeyId,
    ) -> Result<(), Error> {
        let state = &self.life(connection, id).await?.state;
        if state.is_enabled() {
            return Ok(());
        }
        Err(Error::RootKeyUnusable {
            root_key: id,
            state: Box::new(state.clone()),
        })
    }

    /// Refuses a key under a version that is not there, or not for long. The keys of a root key that is destroyed as a whole
    /// stay, unreadable, until their clients destroy them.
    pub(in crate::store) async fn require_version(
        &mut self,
        connection: &mut Connection,
        id: RootKeyId,
        version: u32,
    ) -> Result<(), Error> {
        let life = self.life(connection, id).await?;
        let there = version == life.present
            || life
                .earlier
                .get(&version)
                .is_some_and(|state| *state == VersionState::Kept);
        if there {
            return Ok(());
        }
        Err(Error::VersionGone {
            root_key: id,
            version,
        })
    }

    /// The life of a root key, verified; looked up once a transaction.
    async fn life(&mut self, connection: &mut Connection, id: RootKeyId) -> Result<&Life, Error> {
        if !self.lives.contains_key(&id) {
            let present = self.present(&mut *connection, id).await?;
            let mut earlier = BTreeMap::new();
            for columns in versions(connection, id).await? {
                let row = columns.open(&self.keys)?;
                earlier.insert(row.version, row.state);
            }
            let life = Life {
                state: present.state,
                present: present.version,
                earlier,
            };
            self.lives.insert(id, life);
        }
        Ok(self.lives.get(&id).expect("it was put there"))
    }

    /// The row of a root key, verified.
    async fn present(&self, connection: &mut Connection, id: RootKeyId) -> Result<RootKey, Error> {
        let found = within::<RootKeyColumns>(connection, ROOT_KEY, id.uuid(), &self.keys).await?;
        found.ok_or_else(|| Error::NotFound {
            what: "root key",
            id: id.to_string(),
        })
    }

    /// Writes what can change of a root key.
    async fn write_root_key(&mut self, connection: &mut Connection, root_key: &RootKey) -> Result<(), Error> {
        self.lives.remove(&root_key.id);
        let mut columns = RootKeyColumns::of(root_key)?;
        columns.seal = columns.columns().seal(&*self.keys.get(root_key.id)?).to_vec();
        let written = sqlx::query(
            "UPDATE root_key SET label = $1, version = $2, check_value = $3, seal_key_profile = $4, seal_key = $5, \
             life = $6, origin = $7, seal = $8 WHERE id = $9",
        )
        .bind(columns.label)
        .bind(columns.version)
        .bind(columns.check_value)
        .bind(columns.seal_key_profile)
        .bind(columns.seal_key)
        .bind(columns.life)
        .bind(columns.origin)
        .bind(columns.seal)
        .bind(columns.id)
        .execute(connection)
        .await
        .map_err(Error::database("change a root key"))?;
        found(written.rows_affected(), "root key", &root_key.id)
    }
}

/// The rows of the earlier versions of a root key, not yet verified.
async fn versions(connection: &mut Connection, id: RootKeyId) -> Result<Vec<RootKeyVersionColumns>, Error> {
    let rows = sqlx::query("SELECT * FROM root_key_version WHERE id = $1")
        .bind(id.uuid().as_bytes().to_vec())
        .fetch_all(connection)
        .await
        .map_err(Error::database("read the versions of a root key"))?;
    rows.iter().map(columns_of).collect()
}
