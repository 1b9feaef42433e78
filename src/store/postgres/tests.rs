//! What is PostgreSQL's own, on a server of its own; and the suite of the trait.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

use super::{PostgresOptions, PostgresStore};
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::fixture::{row, write};
use crate::store::suite::log::{append, grown, records};
use crate::store::suite::{Fixture, Maker, Newer, newer, store_suite};
use crate::store::{Change, Error, SealKeys, SqliteStore, Store, WriteStore, migrate};

#[path = "../../../tests/support/postgres.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "shared with the tests that are programs of their own"
)]
mod server;

use server::PostgresServer;

/// A database of its own on the server of this process.
pub(crate) struct PostgresMaker {
    url: String,
}

/// One for all tests of the process, and gone with it.
fn server() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(PostgresServer::start)
}

impl PostgresMaker {
    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::new(&self.url, None, 8).unwrap()
    }

    async fn connection(&self) -> PgConnection {
        let options: PgConnectOptions = self.url.parse().unwrap();
        options.connect().await.unwrap()
    }
}

impl Maker for PostgresMaker {
    async fn make() -> Self {
        Self {
            url: server().new_database(),
        }
    }

    async fn open(&self, keys: SealKeys) -> Arc<dyn WriteStore> {
        Arc::new(PostgresStore::open(&self.options(), keys).await.unwrap())
    }

    async fn execute(&self, statement: &str) -> u64 {
        let mut connection = self.connection().await;
        // What SQLite writes x'00', PostgreSQL writes '\x00'; and a session of this role looks at no foreign key.
        let statement = statement.replace("x'", "'\\x");
        sqlx::query("SET session_replication_role = replica")
            .execute(&mut connection)
            .await
            .unwrap();
        let result = sqlx::query(AssertSqlSafe(statement.as_str()))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        result.rows_affected()
    }

    async fn change_column(&self, table: &str, column: &str, key: &str, id: &[u8]) {
        let kind: String = sqlx::query_scalar(
            "SELECT data_type FROM information_schema.columns WHERE table_name = $1 AND column_name = $2",
        )
        .bind(table)
        .bind(column)
        .fetch_one(&mut self.connection().await)
        .await
        .unwrap();
        let other = match kind.as_str() {
            "bigint" => format!("coalesce({column}, 0) + 1000"),
            "text" => format!("coalesce({column}, '') || ' '"),
            // The last byte becomes another.
            "bytea" => format!(
                "substr({column}, 1, length({column}) - 1) || \
                 CASE WHEN substr({column}, length({column})) = '\\x00' THEN '\\x01'::bytea ELSE '\\x00'::bytea END"
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
        sqlx::query_scalar(
            "SELECT column_name::text FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position",
        )
        .bind(table)
        .fetch_all(&mut self.connection().await)
        .await
        .unwrap()
    }
}

store_suite!(PostgresMaker);

store_suite!(
    Newer<PostgresMaker>,
    as a_database_that_a_newer_program_has_added_to_serves
);

#[tokio::test]
async fn two_servers_that_write_at_once_wait_for_each_other_and_lose_nothing() {
    let fixture = Fixture::<PostgresMaker>::new().await;
    let other = fixture.reopened().await;
    let write_many = async |store: &dyn WriteStore| {
        for _ in 0..20 {
            write(store, &[Change::create_key(row(&fixture.east, &[]))])
                .await
                .unwrap();
        }
    };
    tokio::join!(write_many(&*fixture.store), write_many(&*other));
    let located = other.locate(fixture.east.id, &[], None, 100).await.unwrap();
    assert_eq!((located.rows.len(), located.refused.len()), (40, 0));
}

#[tokio::test]
async fn a_database_that_a_newer_program_has_changed_beyond_this_one_is_refused_and_left_as_it_is() {
    let fixture = Fixture::<PostgresMaker>::new().await;
    newer::enter_migration(&fixture.maker).await;
    let opened = PostgresStore::open(&fixture.maker.options(), SealKeys::new()).await;
    opened.unwrap().close().await;
    newer::raise_mark(&fixture.maker).await;
    let opened = PostgresStore::open(&fixture.maker.options(), SealKeys::new()).await;
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
async fn a_commit_waits_for_the_disk_whatever_the_database_is_set_to() {
    let maker = PostgresMaker::make().await;
    let name = maker.url.split(['/', '?']).nth(3).unwrap();
    server().run_sql(
        "postgres",
        &format!("ALTER DATABASE {name} SET synchronous_commit = off"),
    );
    let store = PostgresStore::open(&maker.options(), SealKeys::new())
        .await
        .unwrap();
    let set: String = sqlx::query_scalar("SHOW synchronous_commit")
        .fetch_one(&store.readers)
        .await
        .unwrap();
    assert_eq!(set, "on");
}

#[test]
fn a_server_on_the_network_is_not_spoken_to_without_tls_unless_the_address_says_so() {
    use sqlx::postgres::PgSslMode;
    let mode = |url: &str| PostgresOptions::new(url, None, 8).unwrap().addresses[0].get_ssl_mode();
    assert!(matches!(
        mode("postgres://claviger@db.example/claviger"),
        PgSslMode::VerifyFull
    ));
    assert!(matches!(
        mode("postgres://claviger@db.example/claviger?sslmode=disable"),
        PgSslMode::Disable
    ));
}

#[test]
fn of_several_hosts_each_is_an_address() {
    let hosts = |url: &str| {
        let options = PostgresOptions::new(url, None, 8).unwrap();
        let host = |options: &PgConnectOptions| match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        options.addresses.iter().map(host).collect::<Vec<_>>()
    };
    assert_eq!(
        hosts("postgres://claviger@one,two:5433/claviger"),
        ["one:5432", "two:5433"]
    );
    assert_eq!(
        hosts("postgres://claviger@localhost/claviger?host=/run/one,/run/two&sslmode=prefer"),
        ["/run/one", "/run/two"]
    );
    assert_eq!(hosts("postgres://one/claviger"), ["one:5432"]);
}

#[tokio::test]
async fn a_database_is_brought_over_from_sqlite_row_by_row_and_into_an_empty_one_alone() {
    let fixture = Fixture::<SqliteMaker>::new().await;
    let key = fixture.key(&[("x-Name", "vm")]).await;
    let certificate = fixture.certificate("vcenter").await;
    let empty = fixture.store.custody_head().await.unwrap();
    let all = records(0, 600);
    append(&*fixture.store, &all, &empty, &grown(&empty, &all))
        .await
        .unwrap();
    let from = SqliteStore::open(&fixture.maker.file(), SealKeys::new())
        .await
        .unwrap();
    let maker = PostgresMaker::make().await;
    let to = PostgresStore::open(&maker.options(), fixture.keys.clone())
        .await
        .unwrap();
    let migrated = migrate(&from, &to).await.unwrap();
    assert_eq!(migrated.rows["custody_record"], 600);
    assert_eq!(migrated.head, fixture.store.custody_head().await.unwrap().head());

    let read = to.key(fixture.east.id, key.object.id()).await.unwrap();
    assert_eq!(read, Some(key), "its seal holds there too");
    assert_eq!(
        to.certificate(certificate.fingerprint).await.unwrap(),
        Some(certificate)
    );
    let again = migrate(&from, &to).await.unwrap_err();
    assert!(matches!(again, Error::NotEmpty), "{again}");
}

#[tokio::test]
async fn what_one_server_does_at_a_time_is_taken_on_when_its_time_is_over() {
    let fixture = Fixture::<PostgresMaker>::new().await;
    let (long, none) = (Duration::from_mins(10), Duration::ZERO);
    let lease = async |holder, term| fixture.store.lease("jobs", holder, term).await.unwrap();
    assert!(lease("first", long).await);
    assert!(!lease("second", long).await);
    assert!(lease("first", long).await, "it goes on");
    assert!(lease("first", none).await, "and gives it up");
    assert!(lease("second", long).await);
    assert!(!lease("first", long).await);
}

#[tokio::test]
async fn a_server_on_the_network_is_spoken_to_by_verified_tls_and_with_a_password() {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let address = format!("127.{high}.{middle}.{low}");
    let certificate = |address: &str| {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec![address.to_owned()]).unwrap();
        (certificate.self_signed(&key).unwrap().pem(), key.serialize_pem())
    };
    let (ours, key) = certificate(&address);
    let (another, _) = certificate(&address);
    let server = PostgresServer::start_with(
        &[
            &format!("listen_addresses={address}"),
            "ssl=on",
            "ssl_cert_file=../server.pem",
            "ssl_key_file=../server.key",
        ],
        &[("server.pem", ours.clone()), ("server.key", key)],
    );
    server.run_sql("postgres", "ALTER USER claviger PASSWORD 'a long one'");
    server.run_sql("postgres", "CREATE DATABASE claviger");
    let folder = tempfile::tempdir().unwrap();
    let url = |authority: &str, name: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, authority).unwrap();
        format!(
            "postgres://claviger@{address}/claviger?sslrootcert={}",
            file.display()
        )
    };
    let open = async |url: &str, password: &str| {
        let password = SecretString::from(password);
        let options = PostgresOptions::new(url, Some(&password), 4).unwrap();
        PostgresStore::open(&options, SealKeys::new()).await
    };
    let right = url(&ours, "ours.pem");
    open(&right, "a long one").await.unwrap().close().await;
    let error = open(&right, "another").await.err().unwrap().to_string();
    assert!(error.contains("password"), "{error}");
    let error = open(&url(&another, "another.pem"), "a long one")
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("certificate"), "{error}");
}
