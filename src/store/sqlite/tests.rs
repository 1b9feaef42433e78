//! What is SQLite's own: the file, its modes, its schema; and the suite of the trait.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

use super::SqliteStore;
use crate::custody::{Actor, Event, EventName, ObjectFacts, Record};
use crate::kmip::ttlv::DateTime;
use crate::store::suite::fixture::{row, write};
use crate::store::suite::{Fixture, Maker, Newer, newer, store_suite};
use crate::store::{Change, Error, RecordFilter, SealKeys, SearchFrom, Store, WriteStore};

/// A database file in a folder of its own.
pub(crate) struct SqliteMaker(TempDir);

impl SqliteMaker {
    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("state").join("claviger.db")
    }

    async fn connection(&self) -> SqliteConnection {
        SqliteConnectOptions::new()
            .filename(self.file())
            .foreign_keys(false)
            .connect()
            .await
            .unwrap()
    }
}

impl SqliteMaker {
    /// The folder of the database.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Maker for SqliteMaker {
    async fn make() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self, keys: SealKeys) -> Arc<dyn WriteStore> {
        Arc::new(SqliteStore::open(&self.file(), keys).await.unwrap())
    }

    async fn execute(&self, statement: &str) -> u64 {
        let mut connection = self.connection().await;
        let result = sqlx::query(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        result.rows_affected()
    }

    async fn change_column(&self, table: &str, column: &str, key: &str, id: &[u8]) {
        let kind: String = sqlx::query_scalar("SELECT type FROM pragma_table_info(?) WHERE name = ?")
            .bind(table)
            .bind(column)
            .fetch_one(&mut self.connection().await)
            .await
            .unwrap();
        let other = match kind.as_str() {
            "INTEGER" => format!("coalesce({column}, 0) + 1000"),
            "TEXT" => format!("coalesce({column}, '') || ' '"),
            // The last byte becomes another.
            "BLOB" => format!(
                "unhex(substr(hex({column}), 1, 2 * length({column}) - 2) || \
                 CASE WHEN substr(hex({column}), -2) = '00' THEN '01' ELSE '00' END)"
            ),
            other => panic!("a column of type {other}"),
        };
        let id = hex::encode(id);
        self.by_hand(&format!(
            "UPDATE {table} SET {column} = {other} WHERE {key} = x'{id}'"
        ))
        .await;
    }

    async fn columns(&self, table: &str) -> Vec<String> {
        sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(&mut self.connection().await)
            .await
            .unwrap()
    }
}

store_suite!(SqliteMaker);

store_suite!(
    Newer<SqliteMaker>,
    as a_database_that_a_newer_program_has_added_to_serves
);

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn nobody_but_the_owner_can_read_the_database() {
    let fixture = Fixture::<SqliteMaker>::new().await;
    let file = fixture.maker.file();
    let folder = file.parent().unwrap();
    assert_eq!(mode(folder), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "database, write-ahead log and its index");
    // A mode that somebody loosened is set right by the next start.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    fixture.reopened().await;
    assert_eq!(mode(&file), 0o600);
}

#[tokio::test]
async fn a_database_that_a_newer_program_has_changed_beyond_this_one_is_refused_and_left_as_it_is() {
    let fixture = Fixture::<SqliteMaker>::new().await;
    newer::enter_migration(&fixture.maker).await;
    let opened = SqliteStore::open(&fixture.maker.file(), SealKeys::new()).await;
    opened.unwrap().close().await;
    newer::raise_mark(&fixture.maker).await;
    let opened = SqliteStore::open(&fixture.maker.file(), SealKeys::new()).await;
    let error = opened.err().unwrap();
    let number = newer::NUMBER;
    assert!(
        matches!(error, Error::NewerSchema { found, oldest, .. } if (found, oldest) == (number, number)),
        "{error}"
    );
    assert!(
        error.to_string().contains("use the version that wrote it"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let maker = SqliteMaker::make().await;
    std::fs::create_dir_all(maker.file().parent().unwrap()).unwrap();
    std::fs::write(
        maker.file(),
        "this is not a database, and long enough to be seen not to be one".repeat(20),
    )
    .unwrap();
    let error = SqliteStore::open(&maker.file(), SealKeys::new())
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("not a database"), "{error}");
}

#[tokio::test]
async fn every_commit_is_flushed_to_the_disk() {
    let maker = SqliteMaker::make().await;
    let store = SqliteStore::open(&maker.file(), SealKeys::new()).await.unwrap();
    let mut connection = store.writer.begin().await.unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"));
}

#[tokio::test]
async fn the_bytes_of_a_destroyed_key_are_in_no_file_of_the_database() {
    let fixture = Fixture::<SqliteMaker>::new().await;
    let marker = [0xd5_u8, 0x3a, 0x91, 0x77, 0xe0, 0x0f, 0x48, 0xb2].repeat(4);
    let mut row = row(&fixture.east, &[]);
    row.wrapped.as_mut().unwrap().kek.bytes.clone_from(&marker);
    let id = row.object.id();
    write(&*fixture.store, &[Change::create_key(row)]).await.unwrap();
    let files_with_it = || {
        let folder = fixture.maker.file().parent().unwrap().to_owned();
        let files = std::fs::read_dir(folder).unwrap();
        files
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .filter(|bytes| bytes.windows(marker.len()).any(|window| window == marker))
            .count()
    };
    assert!(files_with_it() > 0);
    let mut key = fixture.store.key(fixture.east.id, id).await.unwrap().unwrap();
    key.object.destroy(DateTime(1_764_000_001)).unwrap();
    key.wrapped = None;
    write(&*fixture.store, &[Change::update_key(key)]).await.unwrap();
    assert_eq!(files_with_it(), 0);
}

#[tokio::test]
async fn a_head_changed_by_another_hand_is_refused() {
    let fixture = Fixture::<SqliteMaker>::new().await;
    fixture
        .maker
        .by_hand("UPDATE custody_head SET root = x'00'")
        .await;
    let error = fixture.store.custody_head().await.unwrap_err();
    assert!(matches!(error, Error::BrokenHead { .. }), "{error}");
}

#[tokio::test]
async fn a_query_by_terms_uses_the_index() {
    let maker = SqliteMaker::make().await;
    let store = SqliteStore::open(&maker.file(), SealKeys::new()).await.unwrap();
    for terms in 0..4 {
        let sql = format!("EXPLAIN QUERY PLAN {}", super::sql::read::candidates(terms));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_all(&store.readers)
            .await
            .unwrap();
        for (_, _, _, step) in &plan {
            assert!(
                !step.starts_with("SCAN") && !step.contains("TEMP B-TREE"),
                "{terms} terms: {plan:?}"
            );
        }
    }
    assert!(store.key_counts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_database_of_the_first_schema_opens_and_keeps_its_keys() {
    let fixture = Fixture::<SqliteMaker>::new().await;
    let key = fixture.key(&[("x-Name", "vm")]).await;
    let (id, root_key) = (key.object.id(), fixture.east.root_key);
    let record = old_record();
    fixture
        .maker
        .by_hand(&format!(
            "INSERT INTO custody_record (sequence, leaf, record) VALUES \
             (0, zeroblob(32), x'{}'), (1, zeroblob(32), x'ff')",
            hex::encode(&record)
        ))
        .await;
    // What the later migrations made is taken out again: this is the first schema, with rows as it had them.
    for statement in [
        "DROP TABLE schema_compatibility",
        "DROP TABLE adapter_usage",
        "DROP TABLE adapter_quota",
        "ALTER TABLE custody_head DROP COLUMN prune_below",
        "DROP TABLE access_token",
        "ALTER TABLE adapter DROP COLUMN created_by",
        "ALTER TABLE client_certificate DROP COLUMN added_by",
        "DROP TABLE custody_hash",
        "DROP TABLE custody_checkpoint",
        "DROP INDEX custody_record_by_object",
        "DROP INDEX custody_record_by_client",
        "ALTER TABLE custody_record DROP COLUMN object",
        "ALTER TABLE custody_record DROP COLUMN client",
        "DROP TABLE adapter_setting",
        "DROP TABLE root_key_version",
        "DROP INDEX managed_object_by_root_key",
        "ALTER TABLE root_key DROP COLUMN life",
        "ALTER TABLE root_key DROP COLUMN origin",
        "DELETE FROM _sqlx_migrations WHERE version > 1",
    ] {
        sqlx::query(statement)
            .execute(&mut fixture.maker.connection().await)
            .await
            .unwrap();
    }
    let store = fixture.reopened().await;
    assert_eq!(store.key(fixture.east.id, id).await.unwrap(), Some(key));
    assert_eq!(store.root_key(root_key).await.unwrap().unwrap().version, 1);
    assert!(store.earlier_versions(root_key).await.unwrap().rows.is_empty());
    let counts = store.keys_by_version(root_key).await.unwrap();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(1, 1)]);
    // Records that were there before are found as new ones are.
    let by_object = RecordFilter {
        object: Some("0198".to_owned()),
        client: None,
    };
    let by_client = RecordFilter {
        object: None,
        client: Some("ab".repeat(32)),
    };
    for filter in [by_object, by_client] {
        let found = store.custody_search(&filter, SearchFrom::Number(0), 9).await;
        let bytes: Vec<_> = found.unwrap().into_iter().map(|found| found.bytes).collect();
        assert_eq!(bytes, std::slice::from_ref(&record), "{filter:?}");
    }
}

fn old_record() -> Vec<u8> {
    let actor = Actor::Client {
        certificate: "ab".repeat(32),
        subject: String::new(),
        issuer: String::new(),
        serial: String::new(),
        user: None,
    };
    let mut event = Event::new(EventName::KmipGet, actor);
    event.object = Some(ObjectFacts {
        identifier: "0198".to_owned(),
        ..ObjectFacts::default()
    });
    Record::new(
        0,
        uuid::Uuid::nil(),
        crate::store::suite::fixture::THEN,
        "node",
        "0.1.0",
        event,
    )
    .to_bytes()
}

#[tokio::test]
async fn a_search_uses_the_index() {
    let maker = SqliteMaker::make().await;
    let store = SqliteStore::open(&maker.file(), SealKeys::new()).await.unwrap();
    for from in [SearchFrom::Number(0), SearchFrom::Before(9)] {
        for (object, client) in [(true, false), (false, true), (true, true), (false, false)] {
            let statement = super::sql::custody::search_statement(object, client, from);
            let sql = format!("EXPLAIN QUERY PLAN {statement}");
            let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(sql))
                .fetch_all(&store.readers)
                .await
                .unwrap();
            for (_, _, _, step) in &plan {
                assert!(
                    !step.starts_with("SCAN") && !step.contains("TEMP B-TREE"),
                    "{statement}: {plan:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_another_hand_did_to_a_root_key_is_seen_by_the_next_commit() {
    let fixture = Fixture::<SqliteMaker>::new().await;
    let id = fixture.east.root_key;
    for _ in 0..2 {
        write(&*fixture.store, &[Change::UseRootKey(id)]).await.unwrap();
    }
    fixture
        .maker
        .change_column("root_key", "label", "id", id.uuid().as_bytes())
        .await;
    let error = write(&*fixture.store, &[Change::UseRootKey(id)])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Tampered { .. }), "{error}");
}

#[tokio::test]
async fn who_commits_again_and_again_gives_way_to_whoever_waits() {
    let fixture = Fixture::<SqliteMaker>::new().await;
    let row = row(&fixture.east, &[]);
    let id = row.object.id();
    let begun = fixture.store.begin().await.unwrap();
    let next = begun.commit_and_begin().await.unwrap();
    let mut next = next.expect("nobody else waits");
    next.apply(&[Change::create_key(row)]).await.unwrap();
    let store = Arc::clone(&fixture.store);
    let other = tokio::spawn(async move { store.begin().await.map(drop) });
    let mut next = Some(next);
    while let Some(transaction) = next {
        tokio::task::yield_now().await;
        next = transaction.commit_and_begin().await.unwrap();
    }
    other.await.unwrap().unwrap();
    let written = fixture.store.key(fixture.east.id, id).await.unwrap();
    assert!(written.is_some());
}
