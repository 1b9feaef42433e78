//! A row that was changed by hand in the database is refused and recorded, and harms no other.

mod support;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};
use support::message::{self, about, create, key_material, outcome};
use support::server::Server;

const TABLE: &str = "managed_object";

async fn open(server: &Server) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(server.database())
        .foreign_keys(false)
        .connect()
        .await
        .expect("the database opens")
}

async fn columns(database: &mut SqliteConnection) -> Vec<String> {
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT name FROM pragma_table_info('{TABLE}')"
    )))
    .fetch_all(database)
    .await
    .expect("the columns")
    .iter()
    .map(|row| row.get(0))
    .collect()
}

/// Another value of the same kind: another number, a text with one more letter, bytes with one bit turned.
fn changed(column: &str) -> String {
    format!(
        "CASE typeof({column})
           WHEN 'integer' THEN {column} + 1000
           WHEN 'text' THEN {column} || 'x'
           WHEN 'blob' THEN CAST(X'00' || substr({column}, 2) AS BLOB)
           ELSE 1
         END"
    )
}

#[test]
fn a_change_by_hand_in_any_column_of_a_key_is_refused_and_recorded() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    let [victim, other] = [(); 2].map(|()| message::identifier(&connection.exchange(&create())));
    let [before, other_before] =
        [&victim, &other].map(|key| key_material(&connection.exchange(&about(message::GET, key))));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut database = open(&server).await;
        let columns = columns(&mut database).await;
        assert!(columns.len() > 5, "{columns:?}");
        for column in &columns {
            let key = if column == "id" { "ordinal" } else { "id" };
            let sql = format!("CREATE TEMP TABLE kept AS SELECT * FROM {TABLE}");
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .execute(&mut database)
                .await
                .expect("a copy");
            let refused_before = refusals(&server);
            let sql = format!(
                "UPDATE {TABLE} SET {column} = {} WHERE id = {}",
                changed(column),
                literal(&victim)
            );
            let done = sqlx::query(sqlx::AssertSqlSafe(sql))
                .execute(&mut database)
                .await
                .expect("the row changes");
            assert_eq!(done.rows_affected(), 1, "{column}");

            let answer = connection.exchange(&about(message::GET, &victim));
            assert!(
                outcome(&answer).is_err(),
                "a key whose {column} was changed was handed out"
            );
            assert_eq!(
                key_material(&connection.exchange(&about(message::GET, &other))),
                other_before,
                "{column}"
            );
            // Under another identifier or adapter the row is not found, and so not looked at; the name of another
            // root key that seals it says that its seal can't be judged.
            if !["id", "adapter", "sealed_by"].contains(&column.as_str()) {
                assert!(
                    refusals(&server) > refused_before,
                    "the refusal for {column} is not in the log"
                );
            }

            let sql = format!(
                "UPDATE {TABLE} SET {column} = (SELECT {column} FROM kept WHERE kept.{key} = {TABLE}.{key})"
            );
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .execute(&mut database)
                .await
                .expect("the row is put back");
            sqlx::query("DROP TABLE kept")
                .execute(&mut database)
                .await
                .expect("a table");
            assert_eq!(
                key_material(&connection.exchange(&about(message::GET, &victim))),
                before,
                "{column}"
            );
        }
    });
    server.verify_custody_log();
}

/// The identifier as the database holds it.
fn literal(identifier: &str) -> String {
    format!("X'{}'", identifier.replace('-', ""))
}

fn refusals(server: &Server) -> usize {
    server
        .custody_records()
        .iter()
        .filter(|record| record["event"] == "store.tampered")
        .count()
}

#[test]
fn a_wrapped_key_moved_to_another_row_is_refused() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    let [one, two] = [(); 2].map(|()| message::identifier(&connection.exchange(&create())));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut database = open(&server).await;
        let sql = format!(
            "UPDATE {TABLE} SET wrapped = (SELECT wrapped FROM {TABLE} WHERE id = {}) WHERE id = {}",
            literal(&two),
            literal(&one)
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&mut database)
            .await
            .expect("the row changes");
    });
    assert!(outcome(&connection.exchange(&about(message::GET, &one))).is_err());
    key_material(&connection.exchange(&about(message::GET, &two)));
}

#[test]
fn a_record_changed_by_hand_is_named_by_the_verification() {
    let server = Server::start();
    let client = server.client("a");
    message::identifier(&client.connect().exchange(&create()));
    server.verify_custody_log();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut database = open(&server).await;
        sqlx::query("UPDATE custody_record SET record = CAST(replace(CAST(record AS TEXT), 'kmip.create', 'kmip.locate') AS BLOB)")
            .execute(&mut database)
            .await
            .expect("the record changes");
    });
    let verified = server.claviger(&["custody", "verify"]);
    assert!(!verified.status.success());
    let words = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(words.contains("record"), "{words}");
}

/// What `claviger-verify` and `claviger custody verify` say of a bundle of the server's: the same.
fn judged(server: &Server, name: &str) -> (Option<i32>, Vec<String>) {
    let bundle = server.state_directory().join(name);
    let policy = server.state_directory().join("policy");
    let shown = server.json(&["custody", "key", "show"]);
    let text = format!("{}\nquorum none\n", shown["policy"].as_str().expect("a line"));
    std::fs::write(&policy, text).expect("the folder can be written to");
    let [bundle, policy] = [&bundle, &policy].map(|path| path.to_str().expect("a path"));
    server.must(&["custody", "bundle", bundle]);
    let verified = std::process::Command::new(env!("CARGO_BIN_EXE_claviger-verify"))
        .args([bundle, "--policy", policy, "--form", "json"])
        .output()
        .expect("the built binary starts");
    let by_operator = server.claviger(&[
        "--output", "json", "custody", "verify", bundle, "--policy", policy,
    ]);
    assert_eq!(
        by_operator.status.code(),
        verified.status.code(),
        "{by_operator:?}"
    );
    assert_eq!(by_operator.stdout, verified.stdout);
    let report: serde_json::Value = serde_json::from_slice(&verified.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("a list");
    let words = findings
        .iter()
        .map(|finding| format!("{}: {}", finding["code"], finding["words"]));
    (verified.status.code(), words.collect())
}

#[test]
fn an_auditor_sees_offline_what_was_written_past_the_log() {
    let mut server = Server::start();
    server.must(&["custody", "key", "create"]);
    server.restart();
    let client = server.client("a");
    let mut connection = client.connect();
    let [victim, _] = [(); 2].map(|()| message::identifier(&connection.exchange(&create())));
    assert_eq!(judged(&server, "sound.tar"), (Some(0), Vec::new()));

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut database = open(&server).await;
        for sql in [
            format!(
                "UPDATE {TABLE} SET revision = revision + 1 WHERE id = {}",
                literal(&victim)
            ),
            "UPDATE root_key SET version = version + 1".to_owned(),
            "DELETE FROM client_certificate".to_owned(),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .execute(&mut database)
                .await
                .expect("the row changes");
        }
    });
    let (code, found) = judged(&server, "tampered.tar");
    assert_eq!(code, Some(2), "{found:?}");
    for (code, words) in [
        ("row.swapped", &victim[..]),
        ("row.swapped", "the root key"),
        ("row.missing", "the certificate"),
    ] {
        assert!(
            found
                .iter()
                .any(|finding| finding.contains(code) && finding.contains(words)),
            "{code}, {words}: {found:?}"
        );
    }
}
