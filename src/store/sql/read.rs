//! The reading half.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, FromRow, Row as _};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::adapter::{
    AccessToken, Adapter, AdapterId, ClientCertificate, Fingerprint, Quota, RootKey, RootKeyId,
    RootKeyVersion, SecretDigest,
};
use crate::custody::{Hash, StoredRecord};
use crate::key::IndexTerm;
use crate::store::index::term;
use crate::store::table::{
    AdapterColumns, CertificateColumns, KeyColumns, QuotaColumns, RootKeyColumns, RootKeyVersionColumns,
    Sealed, SettingColumns, TokenColumns,
};
use crate::store::{
    Cursor, CustodyHead, CustodyKept, Elsewhere, Error, KeyCount, KeyCounts, KeyRow, Listing, Located, Piece,
    QuotaUse, RecordFilter, RowsAt, SealKeys, SearchFrom, Setting, SettingKind, Settings, Store,
    StoredCheckpoint, UnverifiedRootKey,
};

use super::dialect::{self, Connection, DatabaseStore, Db, Pool, Row};
use super::{custody, inventory, quota, rows};

/// Of several terms, the one that the fewest objects have leads; beyond so many, they count as equal.
const SELECTIVE: u32 = 512;

#[async_trait]
impl Store for DatabaseStore {
    fn elsewhere(&self) -> Option<watch::Receiver<Elsewhere>> {
        dialect::elsewhere(self)
    }

    async fn lease(&self, name: &str, holder: &str, term: Duration) -> Result<bool, Error> {
        dialect::lease(self, name, holder, term).await
    }

    async fn feed_position(&self, name: &str) -> Result<Option<String>, Error> {
        dialect::feed_position(self, name).await
    }

    async fn keep_feed_position(&self, name: &str, position: &str) -> Result<(), Error> {
        dialect::keep_feed_position(self, name, position).await
    }

    async fn key(&self, adapter: AdapterId, id: Uuid) -> Result<Option<KeyRow>, Error> {
        // By identifier alone: a row that was moved to another adapter is reported to the one it was taken from, too.
        let found = match self.lookup.find(id).await {
            Some(found) => found,
            None => sqlx::query("SELECT * FROM managed_object WHERE id = $1")
                .bind(id.as_bytes().to_vec())
                .fetch_optional(&self.readers)
                .await
                .map_err(Error::database("read a key"))?
                .map(|row| columns(&row))
                .transpose()?,
        };
        let Some(columns) = found else { return Ok(None) };
        if !columns.claims(adapter) {
            return Ok(None);
        }
        let row = columns.open(&self.keys)?;
        Ok((row.object.adapter() == adapter.uuid()).then_some(row))
    }

    async fn is_taken(&self, id: Uuid) -> Result<bool, Error> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM managed_object WHERE id = $1)")
            .bind(id.as_bytes().to_vec())
            .fetch_one(&self.readers)
            .await
            .map_err(Error::database("look for an identifier"))
    }

    async fn locate(
        &self,
        adapter: AdapterId,
        terms: &[IndexTerm],
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error> {
        let hashed: Vec<[u8; 16]> = terms.iter().map(|each| term(adapter.uuid(), each)).collect();
        let leading = leading(&self.readers, &hashed).await?;
        let before = match after {
            Some(Cursor(ordinal)) => i64::try_from(ordinal).unwrap_or(i64::MAX),
            None => i64::MAX,
        };
        let mut query = sqlx::query(AssertSqlSafe(candidates(hashed.len())));
        match leading {
            None => query = query.bind(adapter.uuid().as_bytes().to_vec()).bind(before),
            Some(leading) => {
                query = query.bind(hashed[leading].to_vec()).bind(before);
                for (_, other) in hashed.iter().enumerate().filter(|(index, _)| *index != leading) {
                    query = query.bind(other.to_vec());
                }
            }
        }
        let rows = query
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(Error::database("locate keys"))?;
        let next = next(&rows, limit)?;
        let listing = Listing::of(rows.iter().map(|row| candidate(row, &self.keys, adapter, terms)));
        Ok(Located {
            rows: listing.rows,
            refused: listing.refused,
            next,
        })
    }

    async fn adapters(&self) -> Result<Listing<Adapter>, Error> {
        let rows = sqlx::query("SELECT * FROM adapter ORDER BY name")
            .fetch_all(&self.readers)
            .await;
        self.listing::<AdapterColumns>(rows)
    }

    async fn adapter(&self, id: AdapterId) -> Result<Option<Adapter>, Error> {
        let row = sqlx::query("SELECT * FROM adapter WHERE id = $1")
            .bind(id.uuid().as_bytes().to_vec())
            .fetch_optional(&self.readers)
            .await;
        self.one::<AdapterColumns>(row)
    }

    async fn adapter_named(&self, name: &str) -> Result<Option<Adapter>, Error> {
        let row = sqlx::query("SELECT * FROM adapter WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await;
        self.one::<AdapterColumns>(row)
    }

    async fn settings(&self, adapter: AdapterId) -> Result<Settings, Error> {
        let rows = sqlx::query("SELECT * FROM adapter_setting WHERE id = $1")
            .bind(adapter.uuid().as_bytes().to_vec())
            .fetch_all(&self.readers)
            .await
            .map_err(Error::database("read an adapter's settings"))?;
        rows.iter()
            .map(|row| columns::<SettingColumns>(row)?.open(&self.keys))
            .collect()
    }

    async fn quotas(&self) -> Result<Listing<(AdapterId, Quota)>, Error> {
        let rows = sqlx::query("SELECT * FROM adapter_quota ORDER BY id")
            .fetch_all(&self.readers)
            .await;
        self.listing::<QuotaColumns>(rows)
    }

    async fn quota(&self, adapter: AdapterId) -> Result<Option<QuotaUse>, Error> {
        quota::of_adapter(&self.readers, adapter, &self.keys).await
    }

    async fn settings_of(&self, kind: SettingKind) -> Result<Listing<Setting>, Error> {
        let rows = sqlx::query("SELECT * FROM adapter_setting WHERE kind = $1 ORDER BY id")
            .bind(kind.name())
            .fetch_all(&self.readers)
            .await;
        self.listing::<SettingColumns>(rows)
    }

    async fn root_keys(&self) -> Result<Listing<RootKey>, Error> {
        let rows = sqlx::query("SELECT * FROM root_key ORDER BY name")
            .fetch_all(&self.readers)
            .await;
        self.listing::<RootKeyColumns>(rows)
    }

    async fn root_key(&self, id: RootKeyId) -> Result<Option<RootKey>, Error> {
        let row = sqlx::query("SELECT * FROM root_key WHERE id = $1")
            .bind(id.uuid().as_bytes().to_vec())
            .fetch_optional(&self.readers)
            .await;
        self.one::<RootKeyColumns>(row)
    }

    async fn root_key_named(&self, name: &str) -> Result<Option<RootKey>, Error> {
        let row = sqlx::query("SELECT * FROM root_key WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await;
        self.one::<RootKeyColumns>(row)
    }

    async fn earlier_versions(&self, root_key: RootKeyId) -> Result<Listing<RootKeyVersion>, Error> {
        let rows = sqlx::query("SELECT * FROM root_key_version WHERE id = $1 ORDER BY version")
            .bind(root_key.uuid().as_bytes().to_vec())
            .fetch_all(&self.readers)
            .await;
        self.listing::<RootKeyVersionColumns>(rows)
    }

    async fn keys_by_version(&self, root_key: RootKeyId) -> Result<BTreeMap<u32, u64>, Error> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "SELECT root_key_version, count(*) FROM managed_object \
             WHERE root_key = $1 AND root_key_version IS NOT NULL GROUP BY root_key_version",
        )
        .bind(root_key.uuid().as_bytes().to_vec())
        .fetch_all(&self.readers)
        .await
        .map_err(Error::database("count keys"))?;
        Ok(rows
            .into_iter()
            .filter_map(|(version, count)| Some((u32::try_from(version).ok()?, count.unsigned_abs())))
            .collect())
    }

    async fn keys_under(
        &self,
        root_key: RootKeyId,
        before: u32,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error> {
        let rows = sqlx::query(
            "SELECT * FROM managed_object WHERE root_key = $1 AND root_key_version < $2 AND ordinal > $3 \
             ORDER BY ordinal LIMIT $4",
        )
        .bind(root_key.uuid().as_bytes().to_vec())
        .bind(i64::from(before))
        .bind(place(after))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(Error::database("read keys of a root key"))?;
        self.page(&rows, limit)
    }

    async fn keys_to_move(
        &self,
        adapter: AdapterId,
        root_key: RootKeyId,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<Located, Error> {
        let rows = sqlx::query(
            "SELECT * FROM managed_object WHERE adapter = $1 AND ordinal > $2 \
             AND (sealed_by <> $3 OR (root_key IS NOT NULL AND root_key <> $4)) ORDER BY ordinal LIMIT $5",
        )
        .bind(adapter.uuid().as_bytes().to_vec())
        .bind(place(after))
        .bind(root_key.uuid().as_bytes().to_vec())
        .bind(root_key.uuid().as_bytes().to_vec())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(Error::database("read keys of an adapter"))?;
        self.page(&rows, limit)
    }

    async fn number_to_move(&self, adapter: AdapterId, root_key: RootKeyId) -> Result<u64, Error> {
        let number: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM managed_object WHERE adapter = $1 \
             AND (sealed_by <> $2 OR (root_key IS NOT NULL AND root_key <> $3))",
        )
        .bind(adapter.uuid().as_bytes().to_vec())
        .bind(root_key.uuid().as_bytes().to_vec())
        .bind(root_key.uuid().as_bytes().to_vec())
        .fetch_one(&self.readers)
        .await
        .map_err(Error::database("count keys"))?;
        Ok(number.unsigned_abs())
    }

    async fn unverified_root_keys(&self) -> Result<Listing<UnverifiedRootKey>, Error> {
        let rows = sqlx::query("SELECT * FROM root_key ORDER BY name")
            .fetch_all(&self.readers)
            .await
            .map_err(Error::database("read root keys"))?;
        Ok(Listing::of(
            rows.iter()
                .map(|row| columns::<RootKeyColumns>(row)?.unverified()),
        ))
    }

    async fn certificates(&self, adapter: Option<AdapterId>) -> Result<Listing<ClientCertificate>, Error> {
        let query = match adapter {
            None => sqlx::query("SELECT * FROM client_certificate ORDER BY name"),
            Some(id) => sqlx::query("SELECT * FROM client_certificate WHERE adapter = $1 ORDER BY name")
                .bind(id.uuid().as_bytes().to_vec()),
        };
        self.listing::<CertificateColumns>(query.fetch_all(&self.readers).await)
    }

    async fn certificate(&self, fingerprint: Fingerprint) -> Result<Option<ClientCertificate>, Error> {
        let row = sqlx::query("SELECT * FROM client_certificate WHERE fingerprint = $1")
            .bind(fingerprint.0.to_vec())
            .fetch_optional(&self.readers)
            .await;
        self.one::<CertificateColumns>(row)
    }

    async fn access_tokens(&self) -> Result<Listing<AccessToken>, Error> {
        let rows = sqlx::query("SELECT * FROM access_token ORDER BY name")
            .fetch_all(&self.readers)
            .await;
        self.listing::<TokenColumns>(rows)
    }

    async fn access_token(&self, secret: SecretDigest) -> Result<Option<AccessToken>, Error> {
        let row = sqlx::query("SELECT * FROM access_token WHERE secret_sha256 = $1")
            .bind(secret.0.to_vec())
            .fetch_optional(&self.readers)
            .await;
        self.one::<TokenColumns>(row)
    }

    async fn key_counts(&self) -> Result<KeyCounts, Error> {
        let rows: Vec<(Vec<u8>, i64, i64)> =
            sqlx::query_as("SELECT adapter, count(*), count(root_key) FROM managed_object GROUP BY adapter")
                .fetch_all(&self.readers)
                .await
                .map_err(Error::database("count keys"))?;
        let count = |(adapter, objects, with_key): (Vec<u8>, i64, i64)| {
            let count = KeyCount {
                objects: objects.unsigned_abs(),
                with_key: with_key.unsigned_abs(),
            };
            // A row of an adapter that can't be is refused where it is read.
            Some((Uuid::from_slice(&adapter).ok()?.into(), count))
        };
        Ok(rows.into_iter().filter_map(count).collect())
    }

    async fn rows_at(&self) -> Result<RowsAt, Error> {
        let rows = Box::pin(inventory::rows_at(&self.readers));
        dialect::while_reached(&self.readers, rows).await
    }

    async fn send_rows(&self, out: mpsc::Sender<Piece>) -> Result<(), Error> {
        let rows = Box::pin(rows::send(&self.readers, &out));
        let sent = dialect::while_reached(&self.readers, rows).await;
        // Whoever took them has given up by then, and says why.
        if out.is_closed() { Ok(()) } else { sent }
    }

    async fn custody_head(&self) -> Result<CustodyHead, Error> {
        custody::head(&self.readers).await
    }

    async fn custody_tail(&self, limit: u32) -> Result<(CustodyHead, Vec<StoredRecord>), Error> {
        let tail = Box::pin(custody::tail(&self.readers, limit));
        dialect::while_reached(&self.readers, tail).await
    }

    async fn custody_records(&self, from: u64, limit: u32) -> Result<Vec<StoredRecord>, Error> {
        custody::records(&self.readers, from, limit).await
    }

    async fn custody_search(
        &self,
        filter: &RecordFilter,
        from: SearchFrom,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, Error> {
        custody::search(&self.readers, filter, from, limit).await
    }

    async fn custody_latest(
        &self,
        objects: &[Uuid],
        from: u64,
        before: u64,
    ) -> Result<Vec<StoredRecord>, Error> {
        custody::latest(&self.readers, objects, from, before).await
    }

    async fn custody_hashes(&self, level: u8, first: u64, count: u32) -> Result<Vec<Hash>, Error> {
        custody::hashes(&self.readers, level, first, count).await
    }

    async fn custody_hash_count(&self, level: u8) -> Result<u64, Error> {
        custody::hash_count(&self.readers, level).await
    }

    async fn custody_kept(&self) -> Result<CustodyKept, Error> {
        custody::kept(&self.readers).await
    }

    async fn custody_checkpoint(&self) -> Result<Option<StoredCheckpoint>, Error> {
        custody::latest_checkpoint(&self.readers).await
    }

    async fn custody_checkpoints(&self, from_size: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, Error> {
        custody::checkpoints(&self.readers, from_size, limit).await
    }
}

/// The place that a page goes on after, as a column has it.
fn place(after: Option<Cursor>) -> i64 {
    after.map_or(0, |Cursor(ordinal)| i64::try_from(ordinal).unwrap_or(i64::MAX))
}

/// Where the page after these rows begins; none where they are fewer than were asked for.
fn next(rows: &[Row], limit: u32) -> Result<Option<Cursor>, Error> {
    match rows.last() {
        Some(last) if rows.len() == limit as usize => {
            let ordinal: i64 = last.try_get("ordinal").map_err(Error::database("locate keys"))?;
            Ok(Some(Cursor(ordinal.unsigned_abs())))
        }
        _ => Ok(None),
    }
}

impl DatabaseStore {
    fn page(&self, rows: &[Row], limit: u32) -> Result<Located, Error> {
        let next = next(rows, limit)?;
        let listing = Listing::of(
            rows.iter()
                .map(|row| columns::<KeyColumns>(row)?.open(&self.keys)),
        );
        Ok(Located {
            rows: listing.rows,
            refused: listing.refused,
            next,
        })
    }

    fn one<T>(&self, row: sqlx::Result<Option<Row>>) -> Result<Option<T::Value>, Error>
    where
        T: Sealed + for<'r> FromRow<'r, Row>,
    {
        let row = row.map_err(Error::database("read a row"))?;
        row.map(|row| columns::<T>(&row)?.open(&self.keys)).transpose()
    }

    fn listing<T>(&self, rows: sqlx::Result<Vec<Row>>) -> Result<Listing<T::Value>, Error>
    where
        T: Sealed + for<'r> FromRow<'r, Row>,
    {
        let rows = rows.map_err(Error::database("read rows"))?;
        Ok(Listing::of(
            rows.iter().map(|row| columns::<T>(row)?.open(&self.keys)),
        ))
    }
}

/// Reads one row by its primary key and verifies it, inside a transaction.
pub(in crate::store) async fn within<T>(
    connection: &mut Connection,
    sql: &'static str,
    id: Uuid,
    keys: &SealKeys,
) -> Result<Option<T::Value>, Error>
where
    T: Sealed + for<'r> FromRow<'r, Row>,
{
    let row = sqlx::query(sql)
        .bind(id.as_bytes().to_vec())
        .fetch_optional(connection)
        .await
        .map_err(Error::database("read a row"))?;
    row.map(|row| columns::<T>(&row)?.open(keys)).transpose()
}

/// The columns of a row. One that is of another type than the schema says was put there by another hand.
pub(in crate::store) fn columns<T>(row: &Row) -> Result<T, Error>
where
    T: Sealed + for<'r> FromRow<'r, Row>,
{
    T::from_row(row).map_err(|error| Error::Tampered {
        table: T::TABLE,
        id: row
            .try_get::<Vec<u8>, _>("id")
            .ok()
            .and_then(|id| Uuid::from_slice(&id).ok())
            .map_or_else(|| "(unreadable)".into(), |id| id.to_string()),
        what: error.to_string(),
    })
}

/// A candidate of a Locate, verified, and found to have what the index says it has.
fn candidate(row: &Row, keys: &SealKeys, adapter: AdapterId, terms: &[IndexTerm]) -> Result<KeyRow, Error> {
    let row = columns::<KeyColumns>(row)?.open(keys)?;
    let wrong = |what: String| {
        Err(Error::Tampered {
            table: "index_term",
            id: row.object.id().to_string(),
            what,
        })
    };
    if row.object.adapter() != adapter.uuid() {
        return wrong("it leads from one adapter to an object of another".into());
    }
    if !terms.is_empty() {
        let has = row.object.index_terms();
        if let Some(missing) = terms.iter().find(|term| !has.contains(term)) {
            return wrong(format!(
                "it leads to an object that lacks the attribute {:?} of this value",
                missing.name
            ));
        }
    }
    Ok(row)
}

/// The statement that finds candidates by so many terms, the first of which leads.
pub(in crate::store) fn candidates(terms: usize) -> String {
    use std::fmt::Write as _;
    if terms == 0 {
        return "SELECT * FROM managed_object WHERE adapter = $1 AND ordinal < $2 ORDER BY ordinal DESC LIMIT $3".into();
    }
    let mut sql = String::from(
        "SELECT object.* FROM index_term AS lead CROSS JOIN managed_object AS object \
         WHERE object.ordinal = lead.ordinal AND lead.term = $1 AND lead.ordinal < $2",
    );
    let limit = terms + 2;
    for other in 3..limit {
        write!(
            sql,
            " AND EXISTS (SELECT 1 FROM index_term AS other WHERE other.term = ${other} AND other.ordinal = lead.ordinal)"
        )
        .expect("a String takes all that is written to it");
    }
    write!(sql, " ORDER BY lead.ordinal DESC LIMIT ${limit}")
        .expect("a String takes all that is written to it");
    sql
}

/// Which of several terms the fewest objects have.
async fn leading(pool: &Pool, terms: &[[u8; 16]]) -> Result<Option<usize>, Error> {
    if terms.len() < 2 {
        return Ok(terms.first().map(|_| 0));
    }
    let mut best = (0, i64::MAX);
    for (index, term) in terms.iter().enumerate() {
        let count = sqlx::query_scalar::<Db, i64>(
            "SELECT count(*) FROM (SELECT 1 FROM index_term WHERE term = $1 LIMIT $2) AS counted",
        )
        .bind(term.to_vec())
        .bind(i64::from(SELECTIVE))
        .fetch_one(pool)
        .await
        .map_err(Error::database("count keys"))?;
        if count < best.1 {
            best = (index, count);
        }
    }
    Ok(Some(best.0))
}
