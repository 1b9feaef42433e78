//! Keys and their index.

use std::collections::BTreeSet;

use sqlx::QueryBuilder;

use crate::adapter::AdapterId;
use crate::custody::RowFacts;
use crate::store::index::term;
use crate::store::table::{KeyColumns, Sealed};
use crate::store::{Applied, Error, KeyRow};

use super::change::Changes;
use super::custody::integer;
use super::dialect::{self, Connection, Db};
use super::name;

/// How many terms a statement writes. SQLite takes 32,766 parameters; this stays well below.
pub(in crate::store) const TERMS: usize = 1000;

impl Changes {
    pub(in crate::store) async fn put_key(
        &mut self,
        connection: &mut Connection,
        row: &KeyRow,
        expected: Option<u64>,
        applied: &mut Applied,
    ) -> Result<(), Error> {
        let adapter = AdapterId::from(row.object.adapter());
        let sealed_by = self.root_key_of(connection, adapter).await?;
        if let Some(wrapped) = &row.wrapped {
            self.require_version(&mut *connection, wrapped.root_key, wrapped.version)
                .await?;
        }
        let growth = self.growth(&mut *connection, row, expected).await?;
        let ordinal = match expected {
            None => self.number_key(connection).await?,
            Some(_) => integer(row.ordinal, "the ordinal")?,
        };
        let revision = integer(expected.unwrap_or(0).saturating_add(1), "the revision")?;
        let mut columns = KeyColumns::of(row, ordinal, revision, sealed_by)?;
        let sealed = columns.columns();
        columns.seal = sealed.seal(&*self.keys.get(sealed_by)?).to_vec();
        let terms = terms_of(row);
        let present = match expected {
            None => BTreeSet::new(),
            Some(_) => index_of(connection, ordinal).await?,
        };
        self.give_names(connection, name::given(row, ordinal, &present))
            .await?;
        let written = match expected {
            None => dialect::insert_key(&mut *connection, columns, &terms).await?,
            Some(_) => update_key(&mut *connection, columns).await?,
        };
        if written == 0 {
            return Err(conflict(connection, row, expected.unwrap_or(0)).await);
        }
        if expected.is_some() {
            index(&mut *connection, &terms, &present, ordinal).await?;
        }
        self.count(connection, adapter, growth).await?;
        applied.rows.push(RowFacts {
            identifier: row.object.id(),
            revision: revision.unsigned_abs(),
            sha256: sealed.digest(),
        });
        Ok(())
    }

    /// The next place in the order of creation; looked up once a transaction.
    async fn number_key(&mut self, connection: &mut Connection) -> Result<i64, Error> {
        let last = match self.last_ordinal {
            Some(last) => last,
            None => sqlx::query_scalar("SELECT coalesce(max(ordinal), 0) FROM managed_object")
                .fetch_one(connection)
                .await
                .map_err(Error::database("number a key"))?,
        };
        self.last_ordinal = Some(last + 1);
        Ok(last + 1)
    }
}

async fn update_key(connection: &mut Connection, columns: KeyColumns) -> Result<u64, Error> {
    let updated = sqlx::query(
        "UPDATE managed_object SET root_key = $1, root_key_version = $2, wrap_profile = $3, revision = $4, \
         sealed_by = $5, seal = $6, wrapped = $7, document = $8 \
         WHERE ordinal = $9 AND id = $10 AND adapter = $11 AND revision = $12",
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
async fn conflict(connection: &mut Connection, row: &KeyRow, expected: u64) -> Error {
    let id = row.object.id();
    let found = sqlx::query_scalar::<Db, i64>("SELECT revision FROM managed_object WHERE id = $1")
        .bind(id.as_bytes().to_vec())
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

/// What the index has of an object.
fn terms_of(row: &KeyRow) -> BTreeSet<Vec<u8>> {
    let terms = row.object.index_terms();
    let adapter = row.object.adapter();
    terms.iter().map(|each| term(adapter, each).to_vec()).collect()
}

/// What the index has of an object now.
async fn index_of(connection: &mut Connection, ordinal: i64) -> Result<BTreeSet<Vec<u8>>, Error> {
    let present = sqlx::query_scalar("SELECT term FROM index_term WHERE ordinal = $1")
        .bind(ordinal)
        .fetch_all(connection)
        .await
        .map_err(Error::database("read a key's index"))?;
    Ok(present.into_iter().collect())
}

/// Brings the index of terms, which has the `present` ones, in line with what an object has now.
async fn index(
    connection: &mut Connection,
    wanted: &BTreeSet<Vec<u8>>,
    present: &BTreeSet<Vec<u8>>,
    ordinal: i64,
) -> Result<(), Error> {
    for term in present.difference(wanted) {
        sqlx::query("DELETE FROM index_term WHERE term = $1 AND ordinal = $2")
            .bind(&term[..])
            .bind(ordinal)
            .execute(&mut *connection)
            .await
            .map_err(Error::database("index a key"))?;
    }
    let missing: Vec<&Vec<u8>> = wanted.difference(present).collect();
    for terms in missing.chunks(TERMS) {
        let mut insert = QueryBuilder::<Db>::new("INSERT INTO index_term (term, ordinal) ");
        insert.push_values(terms, |mut entry, term| {
            entry.push_bind(&term[..]).push_bind(ordinal);
        });
        insert.push(" ON CONFLICT DO NOTHING");
        insert
            .build()
            .execute(&mut *connection)
            .await
            .map_err(Error::database("index a key"))?;
    }
    Ok(())
}
