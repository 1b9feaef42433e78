//! A database that a newer program has changed, as long as older ones are in use: with one more migration, which only adds.

use std::sync::Arc;

use super::Maker;
use crate::store::{SealKeys, WriteStore};

/// What a migration may add without older programs taking notice, in the words of both databases.
const ADDED: [&str; 4] = [
    "CREATE TABLE added (id INTEGER NOT NULL PRIMARY KEY, what TEXT)",
    "ALTER TABLE custody_record ADD COLUMN added TEXT",
    "ALTER TABLE custody_checkpoint ADD COLUMN added TEXT",
    "ALTER TABLE custody_head ADD COLUMN added INTEGER NOT NULL DEFAULT 0",
];

/// The number of the migration, which no program knows.
pub(crate) const NUMBER: i64 = 9999;

/// Enters a migration that this program does not know.
pub(crate) async fn enter_migration(maker: &impl Maker) {
    let statement = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES ({NUMBER}, 'from the future', true, x'00', 0)"
    );
    maker.by_hand(&statement).await;
}

/// Says that no program can work with the database that does not know that migration.
pub(crate) async fn raise_mark(maker: &impl Maker) {
    let statement = format!("UPDATE schema_compatibility SET oldest = {NUMBER}");
    maker.by_hand(&statement).await;
}

/// Databases of a newer program, made as `M` makes them.
pub(crate) struct Newer<M>(M);

impl<M: Maker> Maker for Newer<M> {
    async fn make() -> Self {
        let maker = M::make().await;
        maker.open(SealKeys::new()).await.close().await;
        for statement in ADDED {
            maker.execute(statement).await;
        }
        enter_migration(&maker).await;
        Self(maker)
    }

    async fn open(&self, keys: SealKeys) -> Arc<dyn WriteStore> {
        self.0.open(keys).await
    }

    async fn execute(&self, statement: &str) -> u64 {
        self.0.execute(statement).await
    }

    async fn change_column(&self, table: &str, column: &str, key: &str, id: &[u8]) {
        self.0.change_column(table, column, key, id).await;
    }

    async fn columns(&self, table: &str) -> Vec<String> {
        self.0.columns(table).await
    }
}
