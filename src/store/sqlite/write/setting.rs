//! What is set for all objects of an adapter.

use sqlx::sqlite::SqliteConnection;

use super::change::Changes;
use crate::adapter::{AdapterId, RootKeyId};
use crate::store::sqlite::read::columns as columns_of;
use crate::store::table::{Sealed, SettingColumns};
use crate::store::{Error, SettingKind};

impl Changes {
    /// Writes a setting over the one that is there, or takes it away.
    pub(super) async fn set_for_adapter(
        &mut self,
        connection: &mut SqliteConnection,
        adapter: AdapterId,
        kind: SettingKind,
        document: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let sealed_by = self.root_key_of(&mut *connection, adapter).await?;
        let Some(document) = document else {
            sqlx::query("DELETE FROM adapter_setting WHERE id = ? AND kind = ?")
                .bind(adapter.uuid())
                .bind(kind.name())
                .execute(connection)
                .await
                .map_err(Error::database("take a setting away"))?;
            return Ok(());
        };
        self.write_setting(connection, adapter, kind, document, sealed_by)
            .await
    }

    async fn write_setting(
        &self,
        connection: &mut SqliteConnection,
        adapter: AdapterId,
        kind: SettingKind,
        document: Vec<u8>,
        sealed_by: RootKeyId,
    ) -> Result<(), Error> {
        let mut columns = SettingColumns::of(adapter, kind, document, sealed_by);
        columns.seal = columns.columns().seal(&*self.keys.get(sealed_by)?).to_vec();
        sqlx::query(
            "INSERT OR REPLACE INTO adapter_setting (id, kind, document, sealed_by, seal) VALUES (?, ?, ?, ?, ?)",
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
    pub(super) async fn move_settings(
        &self,
        connection: &mut SqliteConnection,
        adapter: AdapterId,
        to: RootKeyId,
    ) -> Result<(), Error> {
        let rows = sqlx::query("SELECT * FROM adapter_setting WHERE id = ?")
            .bind(adapter.uuid())
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::database("read an adapter's settings"))?;
        for row in rows {
            let (kind, document) = columns_of::<SettingColumns>(&row)?.open(&self.keys)?;
            self.write_setting(&mut *connection, adapter, kind, document, to)
                .await?;
        }
        Ok(())
    }
}
