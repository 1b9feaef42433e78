//! The writing half.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Acquire, QueryBuilder, Sqlite, SqlitePool, Transaction};

use crate::adapter::{Adapter, AdapterId, ClientCertificate, RootKey, RootKeyId};
use crate::custody::StoredRecord;
use crate::store::index::term;
use crate::store::table::{AdapterColumns, CertificateColumns, KeyColumns, RootKeyColumns, Sealed};
use crate::store::{Applied, Change, CustodyHead, Error, KeyRow, SealKeys, WriteStore, WriteTransaction};

use super::SqliteStore;
use super::read::within;

#[async_trait]
impl WriteStore for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn WriteTransaction>, Error> {
        // Immediate: a transaction that will write takes the lock before it reads.
        let transaction = self
            .writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(Error::database("begin a transaction"))?;
        Ok(Box::new(SqliteTransaction {
            transaction,
            pool: self.writer.clone(),
            seals: Seals {
                keys: self.keys.clone(),
                root_keys: HashMap::new(),
            },
            erases: false,
            erasure_due: Arc::clone(&self.erasure_due),
        }))
    }
}

struct SqliteTransaction {
    transaction: Transaction<'static, Sqlite>,
    pool: SqlitePool,
    seals: Seals,
    /// A row that is written has no key bytes, and may have had some.
    erases: bool,
    erasure_due: Arc<AtomicBool>,
}

/// What sealing takes: the open seal keys, and which root key an adapter has.
struct Seals {
    keys: SealKeys,
    root_keys: HashMap<AdapterId, RootKeyId>,
}

#[async_trait]
impl WriteTransaction for SqliteTransaction {
    async fn apply(&mut self, changes: &[Change]) -> Result<Applied, Error> {
        // Dropped on the way out of an error, a savepoint takes back what was done under it.
        let mut savepoint = self
            .transaction
            .begin()
            .await
            .map_err(Error::database("begin a change"))?;
        let mut applied = Applied::default();
        for change in changes {
            let result = self.seals.apply(&mut savepoint, change, &mut applied).await;
            if let Err(error) = result {
                // An adapter that was made under the savepoint is gone with it.
                self.seals.root_keys.clear();
                savepoint
                    .rollback()
                    .await
                    .map_err(Error::database("take back a change"))?;
                return Err(error);
            }
            self.erases |= matches!(change, Change::PutKey { row, .. } if row.wrapped.is_none());
        }
        savepoint
            .commit()
            .await
            .map_err(Error::database("make a change"))?;
        Ok(applied)
    }

    async fn append(
        &mut self,
        records: &[StoredRecord],
        from: &CustodyHead,
        to: &CustodyHead,
    ) -> Result<(), Error> {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO custody_record (sequence, leaf, record) ");
        let rows = records
            .iter()
            .map(|record| Ok((integer(record.sequence, "a sequence number")?, record)))
            .collect::<Result<Vec<_>, Error>>()?;
        insert.push_values(rows, |mut row, (sequence, record)| {
            row.push_bind(sequence)
                .push_bind(&record.leaf.0[..])
                .push_bind(&record.bytes[..]);
        });
        insert
            .build()
            .execute(&mut *self.transaction)
            .await
            .map_err(Error::database("append to the custody log"))?;
        let moved = sqlx::query(
            "UPDATE custody_head SET size = ?, root = ?, frontier = ?, anchor_size = ?, anchor = ? \
             WHERE id = 1 AND size = ? AND root = ?",
        )
        .bind(integer(to.tree.size(), "the log's size")?)
        .bind(to.tree.root().0.to_vec())
        .bind(to.tree.to_bytes())
        .bind(integer(to.anchor.size(), "the anchor's size")?)
        .bind(to.anchor.to_bytes())
        .bind(integer(from.tree.size(), "the log's size")?)
        .bind(from.tree.root().0.to_vec())
        .execute(&mut *self.transaction)
        .await
        .map_err(Error::database("move the head of the custody log"))?;
        if moved.rows_affected() == 1 {
            Ok(())
        } else {
            Err(Error::HeadMoved)
        }
    }

    async fn commit(self: Box<Self>) -> Result<(), Error> {
        self.transaction
            .commit()
            .await
            .map_err(Error::database("commit"))?;
        if self.erases {
            self.erasure_due.store(true, Ordering::Relaxed);
        }
        if self.erasure_due.load(Ordering::Relaxed) {
            erase(&self.pool, &self.erasure_due).await;
        }
        Ok(())
    }
}

/// Writes the write-ahead log into the file and empties it: what was deleted is then in neither. Where somebody is
/// reading an older state, it is tried again after the next commit. What was committed stays so in any case.
async fn erase(pool: &SqlitePool, due: &AtomicBool) {
    let emptied = sqlx::query_as::<_, (i64, i64, i64)>("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(pool)
        .await;
    match emptied {
        Ok((0, _, _)) => due.store(false, Ordering::Relaxed),
        Ok(_) => tracing::debug!("deleted key bytes stay in the write-ahead log until its readers are done"),
        Err(error) => {
            tracing::warn!("the write-ahead log could not be emptied of deleted key bytes: {error}");
        }
    }
}

impl Seals {
    async fn apply(
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
            Change::CreateAdapter(adapter) => self.create_adapter(connection, adapter).await,
            Change::DeleteAdapter(id) => {
                self.root_keys.remove(id);
                delete_adapter(connection, *id).await
            }
            Change::AddCertificate(certificate) => self.add_certificate(connection, certificate).await,
            Change::RemoveCertificate(fingerprint) => {
                let removed = sqlx::query("DELETE FROM client_certificate WHERE fingerprint = ?")
                    .bind(fingerprint.0.to_vec())
                    .execute(connection)
                    .await
                    .map_err(Error::database("remove a certificate"))?;
                found(removed.rows_affected(), "client certificate", fingerprint)
            }
        }
    }

    async fn put_key(
        &mut self,
        connection: &mut SqliteConnection,
        row: &KeyRow,
        expected: Option<u64>,
        applied: &mut Applied,
    ) -> Result<(), Error> {
        let adapter = AdapterId::from(row.object.adapter());
        let sealed_by = self.root_key_of(connection, adapter).await?;
        let ordinal = match expected {
            None => sqlx::query_scalar("SELECT coalesce(max(ordinal), 0) + 1 FROM managed_object")
                .fetch_one(&mut *connection)
                .await
                .map_err(Error::database("number a key"))?,
            Some(_) => integer(row.ordinal, "the ordinal")?,
        };
        let revision = integer(expected.unwrap_or(0).saturating_add(1), "the revision")?;
        let mut columns = KeyColumns::of(row, ordinal, revision, sealed_by)?;
        let sealed = columns.columns();
        columns.seal = sealed.seal(&*self.keys.get(sealed_by)?).to_vec();
        let id = row.object.id();
        let written = match expected {
            None => insert_key(&mut *connection, columns).await?,
            Some(_) => update_key(&mut *connection, columns).await?,
        };
        if written == 0 {
            return Err(conflict(connection, row, expected.unwrap_or(0)).await);
        }
        index(connection, row, ordinal).await?;
        applied.keys.push((id, sealed.digest()));
        Ok(())
    }

    async fn create_root_key(
        &self,
        connection: &mut SqliteConnection,
        root_key: &RootKey,
    ) -> Result<(), Error> {
        let mut columns = RootKeyColumns::of(root_key)?;
        columns.seal = columns.columns().seal(&*self.keys.get(root_key.id)?).to_vec();
        sqlx::query(
            "INSERT INTO root_key (id, name, backend, token_label, token_serial, label, version, check_value, \
             seal_key_profile, seal_key, created_at, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("enter a root key", "root key", &root_key.name))?;
        Ok(())
    }

    async fn create_adapter(
        &self,
        connection: &mut SqliteConnection,
        adapter: &Adapter,
    ) -> Result<(), Error> {
        const ROOT_KEY: &str = "SELECT * FROM root_key WHERE id = ?";
        let root_key = adapter.root_key;
        if within::<RootKeyColumns>(&mut *connection, ROOT_KEY, root_key.uuid(), &self.keys)
            .await?
            .is_none()
        {
            return Err(Error::NotFound {
                what: "root key",
                id: root_key.to_string(),
            });
        }
        let mut columns = AdapterColumns::of(adapter)?;
        columns.seal = columns.columns().seal(&*self.keys.get(root_key)?).to_vec();
        sqlx::query(
            "INSERT INTO adapter (id, name, description, root_key, created_at, seal) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(columns.id)
        .bind(columns.name)
        .bind(columns.description)
        .bind(columns.root_key)
        .bind(columns.created_at)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("enter an adapter", "adapter", &adapter.name))?;
        Ok(())
    }

    async fn add_certificate(
        &mut self,
        connection: &mut SqliteConnection,
        certificate: &ClientCertificate,
    ) -> Result<(), Error> {
        let sealed_by = self.root_key_of(connection, certificate.adapter).await?;
        let known: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM client_certificate WHERE fingerprint = ?)")
                .bind(certificate.fingerprint.0.to_vec())
                .fetch_one(&mut *connection)
                .await
                .map_err(Error::database("look for a certificate"))?;
        if known {
            let name = certificate.fingerprint.to_string();
            return Err(Error::Exists {
                what: "client certificate",
                name,
            });
        }
        let mut columns = CertificateColumns::of(certificate, sealed_by)?;
        columns.seal = columns.columns().seal(&*self.keys.get(sealed_by)?).to_vec();
        sqlx::query(
            "INSERT INTO client_certificate (fingerprint, adapter, name, der, subject, issuer, serial, not_before, \
             not_after, added_at, sealed_by, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(columns.fingerprint)
        .bind(columns.adapter)
        .bind(columns.name)
        .bind(columns.der)
        .bind(columns.subject)
        .bind(columns.issuer)
        .bind(columns.serial)
        .bind(columns.not_before)
        .bind(columns.not_after)
        .bind(columns.added_at)
        .bind(columns.sealed_by)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("add a certificate", "client certificate", &certificate.name))?;
        Ok(())
    }

    /// The root key of an adapter, whose row is verified; looked up once a transaction.
    async fn root_key_of(
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

async fn insert_key(connection: &mut SqliteConnection, columns: KeyColumns) -> Result<u64, Error> {
    let inserted = sqlx::query(
        "INSERT INTO managed_object (ordinal, id, adapter, root_key, root_key_version, wrap_profile, revision, \
         sealed_by, seal, wrapped, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
    )
    .bind(columns.ordinal)
    .bind(columns.id)
    .bind(columns.adapter)
    .bind(columns.root_key)
    .bind(columns.root_key_version)
    .bind(columns.wrap_profile)
    .bind(columns.revision)
    .bind(columns.sealed_by)
    .bind(columns.seal)
    .bind(columns.wrapped)
    .bind(columns.document)
    .execute(connection)
    .await
    .map_err(Error::database("write a new key"))?;
    Ok(inserted.rows_affected())
}

async fn update_key(connection: &mut SqliteConnection, columns: KeyColumns) -> Result<u64, Error> {
    let updated = sqlx::query(
        "UPDATE managed_object SET root_key = ?, root_key_version = ?, wrap_profile = ?, revision = ?, \
         sealed_by = ?, seal = ?, wrapped = ?, document = ? \
         WHERE ordinal = ? AND id = ? AND adapter = ? AND revision = ?",
    )
    .bind(columns.root_key)
    .bind(columns.root_key_version)
    .bind(columns.wrap_profile)
    .bind(columns.revision)
    .bind(columns.sealed_by)
    .bind(columns.seal)
    .bind(columns.wrapped)
    .bind(columns.document)
    .bind(columns.ordinal)
    .bind(columns.id)
    .bind(columns.adapter)
    .bind(columns.revision - 1)
    .execute(connection)
    .await
    .map_err(Error::database("write a key"))?;
    Ok(updated.rows_affected())
}

/// Why a key could not be written at the revision that was expected.
async fn conflict(connection: &mut SqliteConnection, row: &KeyRow, expected: u64) -> Error {
    let id = row.object.id();
    let found = sqlx::query_scalar::<Sqlite, i64>("SELECT revision FROM managed_object WHERE id = ?")
        .bind(id)
        .fetch_optional(connection)
        .await;
    match found {
        Ok(found) => Error::Conflict {
            id,
            expected,
            found: found.unwrap_or(0).unsigned_abs(),
        },
        Err(source) => Error::Database {
            doing: "read a key's revision",
            source,
        },
    }
}

/// Brings the index of terms in line with what the object has now.
async fn index(connection: &mut SqliteConnection, row: &KeyRow, ordinal: i64) -> Result<(), Error> {
    let wanted: BTreeSet<Vec<u8>> = row
        .object
        .index_terms()
        .iter()
        .map(|each| term(row.object.adapter(), each).to_vec())
        .collect();
    let present: BTreeSet<Vec<u8>> = sqlx::query_scalar("SELECT term FROM index_term WHERE ordinal = ?")
        .bind(ordinal)
        .fetch_all(&mut *connection)
        .await
        .map_err(Error::database("read a key's index"))?
        .into_iter()
        .collect();
    for term in present.difference(&wanted) {
        sqlx::query("DELETE FROM index_term WHERE term = ? AND ordinal = ?")
            .bind(&term[..])
            .bind(ordinal)
            .execute(&mut *connection)
            .await
            .map_err(Error::database("index a key"))?;
    }
    let missing: Vec<&Vec<u8>> = wanted.difference(&present).collect();
    // SQLite takes 32,766 parameters a statement; a thousand terms at a time stay well below.
    for terms in missing.chunks(1000) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO index_term (term, ordinal) ");
        insert.push_values(terms, |mut entry, term| {
            entry.push_bind(&term[..]).push_bind(ordinal);
        });
        insert
            .build()
            .execute(&mut *connection)
            .await
            .map_err(Error::database("index a key"))?;
    }
    Ok(())
}

async fn delete_adapter(connection: &mut SqliteConnection, id: AdapterId) -> Result<(), Error> {
    let keys: i64 =
        sqlx::query_scalar("SELECT count(*) FROM managed_object WHERE adapter = ? AND wrapped IS NOT NULL")
            .bind(id.uuid())
            .fetch_one(&mut *connection)
            .await
            .map_err(Error::database("count an adapter's keys"))?;
    if keys > 0 {
        let by = if keys == 1 {
            "one key".into()
        } else {
            format!("{keys} keys")
        };
        return Err(Error::InUse {
            what: "adapter",
            id: id.to_string(),
            by,
        });
    }
    for sql in [
        "DELETE FROM index_term WHERE ordinal IN (SELECT ordinal FROM managed_object WHERE adapter = ?)",
        "DELETE FROM managed_object WHERE adapter = ?",
        "DELETE FROM client_certificate WHERE adapter = ?",
    ] {
        sqlx::query(sql)
            .bind(id.uuid())
            .execute(&mut *connection)
            .await
            .map_err(Error::database("delete what an adapter has"))?;
    }
    let deleted = sqlx::query("DELETE FROM adapter WHERE id = ?")
        .bind(id.uuid())
        .execute(connection)
        .await
        .map_err(Error::database("delete an adapter"))?;
    found(deleted.rows_affected(), "adapter", &id)
}

fn found(rows: u64, what: &'static str, id: &dyn std::fmt::Display) -> Result<(), Error> {
    if rows == 0 {
        Err(Error::NotFound {
            what,
            id: id.to_string(),
        })
    } else {
        Ok(())
    }
}

/// Tells a name or identifier that is taken from other failures of an insert.
fn taken(doing: &'static str, what: &'static str, name: &str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| match &source {
        sqlx::Error::Database(error) if error.is_unique_violation() => Error::Exists {
            what,
            name: name.to_owned(),
        },
        _ => Error::Database { doing, source },
    }
}

fn integer(value: u64, what: &'static str) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::Unfit {
        what,
        why: format!("{value} is too great"),
    })
}
