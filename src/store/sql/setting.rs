//! What is set for all objects of an adapter.

use crate::adapter::{AdapterId, RootKeyId};
use crate::store::table::{Sealed, SettingColumns};
use crate::store::{Error, SettingKind};

use super::change::Changes;
use super::dialect::Connection;
use super::read::columns as columns_of;

impl Changes {
    /// Writes a setting over the one that is there, or takes it away.
    pub(in crate::store) async fn set_for_adapter(
        &mut self,
        connection: &mut Connection,
        adapter: AdapterId,
        kind: SettingKind,
        document: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let sealed_by = self.root_key_of(&mut *connection, adapter).await?;
        let Some(document) = document else {
            sqlx::query("DELETE FROM adapter_setting WHERE id = $1 AND kind = $2")
                .bind(adapter.uuid().as_bytes().to_vec())
                .bind(kind.name())
                .execute(connection)
                .await
                .map_err(Error::database("take a setting away"))?;
            return Ok(());
        };
        self.write_setting(connection, adapter, kind, document, sealed_by)
            .await
    }

    /// Refuses where a setting is not this one.
    pub(in crate::store) async fn require_set(
        &self,
        connection: &mut Connection,
        adapter: AdapterId,
        kind: SettingKind,
        expected: Option<&[u8]>,
    ) -> Result<(), Error> {
        let row = sqlx::query("SELECT * FROM adapter_setting WHERE id = $1 AND kind = $2")
            .bind(adapter.uuid().as_bytes().to_vec())
            .bind(kind.name())
            .fetch_optional(connection)
            .await
            .map_err(Error::database("read a setting"))?;
        let found = match row {
            Some(row) => Some(columns_of::<SettingColumns>(&row)?.open(&self.keys)?.document),
            None => None,
        };
        if found.as_deref() == expected {
            Ok(())
        } else {
            Err(Error::SettingMoved { adapter, kind })
        }
    }

    async fn write_setting(
        &self,
        connection: &mut Connection,
        adapter: AdapterId,
        kind: SettingKind,
        document: Vec<u8>,
        sealed_by: RootKeyId,
    ) -> Result<(), Error> {
        let mut columns = SettingColumns::of(adapter, kind, document, sealed_by);
        columns.seal = columns.columns().seal(&*self.keys.get(sealed_by)?).to_vec();
        sqlx::query(
            "INSERT INTO adapter_setting (id, kind, document, sealed_by, seal) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (id, kind) DO UPDATE SET document = excluded.document, sealed_by = excluded.sealed_by, \
             seal = excluded.seal",
        )
        .bind(columns.id)
        .bind(columns.kind)
        .bind(columns.document)
        .bind(columns.sealed_by)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(Error::database("write a setting"))?;
        Ok(())
    }

    /// Puts an adapter's settings under the seal of another root key. Each is verified before it is sealed anew.
    pub(in crate::store) async fn move_settings(
        &self,
        connection: &mut Connection,
        adapter: AdapterId,
        to: RootKeyId,
    ) -> Result<(), Error> {
        let rows = sqlx::query("SELECT * FROM adapter_setting WHERE id = $1")
            .bind(adapter.uuid().as_bytes().to_vec())
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::database("read an adapter's settings"))?;
        for row in rows {
            let setting = columns_of::<SettingColumns>(&row)?.open(&self.keys)?;
            self.write_setting(&mut *connection, adapter, setting.kind, setting.document, to)
                .await?;
        }
        Ok(())
    }
}
