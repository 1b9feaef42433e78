//! How much an adapter may have: set, and held by each commit.
//!
//! Commits come one after another, on PostgreSQL too, for each locks the head of the log before it reads anything. So what is
//! counted here is what there is, whoever else makes keys.

use sqlx::Row as _;

use crate::adapter::{AdapterId, Quota, RootKeyId};
use crate::store::table::{AdapterColumns, QuotaColumns, Sealed};
use crate::store::{Error, KeyRow, QuotaUse, SealKeys};

use super::change::Changes;
use super::custody::integer;
use super::dialect::{Connection, Db, Pool, Row};
use super::read::columns as columns_of;

/// What a commit has to know of an adapter.
#[derive(Clone, Copy)]
pub(in crate::store) struct Tenant {
    pub(super) root_key: RootKeyId,
    /// The most keys that it may have and how many it has, where they are bounded.
    keys: Option<(u64, u64)>,
}

/// An adapter with its quota and its usage, where it has them.
const TENANT: &str = "SELECT adapter.*, quota.keys AS quota_keys, quota.requests_per_second AS quota_requests, \
     quota.connections AS quota_connections, quota.sealed_by AS quota_sealed_by, quota.seal AS quota_seal, \
     adapter_usage.keys AS used_keys \
     FROM adapter LEFT JOIN adapter_quota AS quota ON quota.id = adapter.id \
     LEFT JOIN adapter_usage ON adapter_usage.id = adapter.id WHERE adapter.id = $1";

impl Changes {
    /// An adapter, its row and that of its quota verified; looked up once a transaction.
    pub(super) async fn tenant(
        &mut self,
        connection: &mut Connection,
        adapter: AdapterId,
    ) -> Result<Tenant, Error> {
        if let Some(tenant) = self.tenants.get(&adapter) {
            return Ok(*tenant);
        }
        let row = sqlx::query(TENANT)
            .bind(adapter.uuid().as_bytes().to_vec())
            .fetch_optional(connection)
            .await
            .map_err(Error::database("read an adapter"))?
            .ok_or_else(|| Error::NotFound {
                what: "adapter",
                id: adapter.to_string(),
            })?;
        let root_key = columns_of::<AdapterColumns>(&row)?.open(&self.keys)?.root_key;
        let quota_use = quota_beside(&row, adapter, &self.keys)?;
        let tenant = Tenant {
            root_key,
            keys: quota_use.and_then(|found| found.quota.keys.zip(found.keys)),
        };
        self.tenants.insert(adapter, tenant);
        Ok(tenant)
    }

    /// Writes a quota over the one that is there, or takes it away, and counts what the adapter has.
    pub(super) async fn set_quota(
        &mut self,
        connection: &mut Connection,
        adapter: AdapterId,
        quota: &Quota,
    ) -> Result<(), Error> {
        let id = adapter.uuid().as_bytes().to_vec();
        // What is there is replaced, whoever wrote it.
        for sql in [
            "DELETE FROM adapter_quota WHERE id = $1",
            "DELETE FROM adapter_usage WHERE id = $1",
        ] {
            sqlx::query(sql)
                .bind(&id[..])
                .execute(&mut *connection)
                .await
                .map_err(Error::database("take a quota away"))?;
        }
        self.tenants.remove(&adapter);
        let sealed_by = self.tenant(&mut *connection, adapter).await?.root_key;
        self.tenants.remove(&adapter);
        if quota.is_none() {
            return Ok(());
        }
        self.write_quota(&mut *connection, adapter, quota, sealed_by)
            .await?;
        if quota.keys.is_some() {
            sqlx::query(
                "INSERT INTO adapter_usage (id, keys) SELECT id, (SELECT count(*) FROM managed_object \
                 WHERE managed_object.adapter = adapter.id AND wrapped IS NOT NULL) FROM adapter WHERE id = $1",
            )
            .bind(&id[..])
            .execute(connection)
            .await
            .map_err(Error::database("count an adapter's keys"))?;
        }
        Ok(())
    }

    async fn write_quota(
        &self,
        connection: &mut Connection,
        adapter: AdapterId,
        quota: &Quota,
        sealed_by: RootKeyId,
    ) -> Result<(), Error> {
        let mut columns = QuotaColumns::of(adapter, quota, sealed_by)?;
        columns.seal = columns.columns().seal(&*self.keys.get(sealed_by)?).to_vec();
        sqlx::query(
            "INSERT INTO adapter_quota (id, keys, requests_per_second, connections, sealed_by, seal) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (id) DO UPDATE SET sealed_by = excluded.sealed_by, seal = excluded.seal",
        )
        .bind(columns.id)
        .bind(columns.keys)
        .bind(columns.requests_per_second)
        .bind(columns.connections)
        .bind(columns.sealed_by)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(Error::database("write a quota"))?;
        Ok(())
    }

    /// Puts an adapter's quota under the seal of another root key. It is verified before it is sealed anew.
    pub(super) async fn move_quota(
        &self,
        connection: &mut Connection,
        adapter: AdapterId,
        to: RootKeyId,
    ) -> Result<(), Error> {
        let row = sqlx::query("SELECT * FROM adapter_quota WHERE id = $1")
            .bind(adapter.uuid().as_bytes().to_vec())
            .fetch_optional(&mut *connection)
            .await
            .map_err(Error::database("read an adapter's quota"))?;
        let Some(row) = row else { return Ok(()) };
        let (_, quota) = columns_of::<QuotaColumns>(&row)?.open(&self.keys)?;
        self.write_quota(connection, adapter, &quota, to).await
    }

    /// How many keys more the adapter has once this row is written over the one of that revision: 1, 0 or -1. Refused where
    /// it may not have one more; where its keys are not bounded, nobody counts, and it is 0.
    pub(super) async fn growth(
        &mut self,
        connection: &mut Connection,
        row: &KeyRow,
        expected: Option<u64>,
    ) -> Result<i64, Error> {
        let adapter = AdapterId::from(row.object.adapter());
        let Some((most, keys)) = self.tenant(&mut *connection, adapter).await?.keys else {
            return Ok(0);
        };
        let had_key = expected.is_some() && has_key(connection, row).await?;
        match (had_key, row.wrapped.is_some()) {
            (false, true) if keys >= most => Err(Error::QuotaReached { adapter, keys: most }),
            (false, true) => Ok(1),
            (true, false) => Ok(-1),
            (true, true) | (false, false) => Ok(0),
        }
    }

    /// Counts a row that was written.
    pub(super) async fn count(
        &mut self,
        connection: &mut Connection,
        adapter: AdapterId,
        growth: i64,
    ) -> Result<(), Error> {
        if growth == 0 {
            return Ok(());
        }
        sqlx::query("UPDATE adapter_usage SET keys = keys + $2 WHERE id = $1")
            .bind(adapter.uuid().as_bytes().to_vec())
            .bind(growth)
            .execute(connection)
            .await
            .map_err(Error::database("count a key"))?;
        if let Some((_, keys)) = self
            .tenants
            .get_mut(&adapter)
            .and_then(|tenant| tenant.keys.as_mut())
        {
            *keys = keys.saturating_add_signed(growth);
        }
        Ok(())
    }
}

/// Whether the row that stands there has key bytes.
async fn has_key(connection: &mut Connection, row: &KeyRow) -> Result<bool, Error> {
    let found: i64 =
        sqlx::query_scalar("SELECT count(*) FROM managed_object WHERE ordinal = $1 AND wrapped IS NOT NULL")
            .bind(integer(row.ordinal, "the ordinal")?)
            .fetch_one(connection)
            .await
            .map_err(Error::database("look at a key"))?;
    Ok(found > 0)
}

/// The quota of an adapter and what it has.
pub(super) async fn of_adapter(
    readers: &Pool,
    adapter: AdapterId,
    keys: &SealKeys,
) -> Result<Option<QuotaUse>, Error> {
    let row = sqlx::query::<Db>(TENANT)
        .bind(adapter.uuid().as_bytes().to_vec())
        .fetch_optional(readers)
        .await
        .map_err(Error::database("read an adapter's quota"))?;
    row.map_or(Ok(None), |row| quota_beside(&row, adapter, keys))
}

/// The quota that was read beside an adapter.
fn quota_beside(row: &Row, adapter: AdapterId, keys: &SealKeys) -> Result<Option<QuotaUse>, Error> {
    let tampered = |what: String| Error::Tampered {
        table: QuotaColumns::TABLE,
        id: adapter.to_string(),
        what,
    };
    let unlike = |error: sqlx::Error| tampered(error.to_string());
    let Some(seal) = row.try_get::<Option<Vec<u8>>, _>("quota_seal").map_err(unlike)? else {
        return Ok(None);
    };
    let columns = QuotaColumns {
        id: adapter.uuid().as_bytes().to_vec(),
        keys: row.try_get("quota_keys").map_err(unlike)?,
        requests_per_second: row.try_get("quota_requests").map_err(unlike)?,
        connections: row.try_get("quota_connections").map_err(unlike)?,
        sealed_by: row.try_get("quota_sealed_by").map_err(unlike)?,
        seal,
    };
    let (_, quota) = columns.open(keys)?;
    let used: Option<i64> = row.try_get("used_keys").map_err(unlike)?;
    let used = used.map(|used| u64::try_from(used).unwrap_or(0));
    if quota.keys.is_some() && used.is_none() {
        return Err(tampered("how many keys there are is not counted".to_owned()));
    }
    Ok(Some(QuotaUse {
        quota,
        keys: used.filter(|_| quota.keys.is_some()),
    }))
}
