//! Stores of so many keys, made by KMIP as clients make them.

use std::sync::Arc;
use std::time::Instant;

use claviger_hsm::testkit::SoftHsm;

use crate::client::Connector;
use crate::load::{about_key, assert_answered, connector, database_bytes};
use crate::options::Options;
use crate::support::message::{self, attribute};
use crate::support::postgres::PostgresServer;
use crate::support::server::{ADAPTER, Server, device};
use crate::support::tag;
use crate::support::ttlv::{Item, enumeration, structure, text};

/// Of so many keys at most the identifiers are kept, to ask for them.
const ASKED: u64 = 10_000;
/// Connections that make keys.
const MAKERS: usize = 64;

/// A server, and the keys in its store.
pub struct Store<'a> {
    pub server: Server,
    pub connector: Connector,
    pub keys: u64,
    /// Identifiers of some of them, from all over.
    pub asked: Arc<Vec<String>>,
    /// Where it is no file: the name of the database.
    database: Option<(&'a PostgresServer, String)>,
}

impl<'a> Store<'a> {
    pub async fn in_sqlite(options: &Options, keys: u64) -> Self {
        let server = Server::start_on(SoftHsm::new(), options.workers, options.sessions, "");
        Self::fill(server, keys, None).await
    }

    pub async fn in_postgres(options: &Options, keys: u64, postgres: &'a PostgresServer) -> Self {
        let url = postgres.new_database();
        let token = SoftHsm::new();
        let config = token.device_config("hsm");
        let device = device("hsm", &config, options.workers, options.sessions);
        let sections = format!("[store]\nurl = \"{url}\"\n{device}");
        let server = Server::start_node("bench", vec![token], &sections);
        server.must(&["root-key", "create", "root"]);
        server.adapter(ADAPTER);
        let name = url
            .split('/')
            .nth(3)
            .and_then(|rest| rest.split('?').next())
            .expect("a database's name")
            .to_owned();
        Self::fill(server, keys, Some((postgres, name))).await
    }

    async fn fill(server: Server, keys: u64, database: Option<(&'a PostgresServer, String)>) -> Self {
        let identity = server.client("bench");
        let connector = connector(&identity, identity.address, true);
        let making = Instant::now();
        let asked = Arc::new(make(&connector, keys).await);
        println!(
            "{keys} keys made by KMIP in {:.0} s",
            making.elapsed().as_secs_f64()
        );
        Self {
            server,
            connector,
            keys,
            asked,
            database,
        }
    }

    /// What it takes on the disk.
    pub fn bytes(&self) -> u64 {
        match &self.database {
            None => database_bytes(&self.server),
            Some((postgres, name)) => {
                let bytes = postgres.run_sql("postgres", &format!("SELECT pg_database_size('{name}')"));
                bytes.parse().expect("a number")
            }
        }
    }
}

fn name_of(number: u64) -> Item {
    structure(
        0,
        vec![
            text(tag::NAME_VALUE, &format!("vm-{number}")),
            enumeration(tag::NAME_TYPE, 1),
        ],
    )
}

fn attribute_of(number: u64) -> Item {
    text(0, &format!("cluster-{}", number / 8))
}

pub fn by_name(number: u64) -> Item {
    attribute("Name", name_of(number))
}

pub fn by_attribute(number: u64) -> Item {
    attribute("x-cluster", attribute_of(number))
}

/// Makes so many keys, each with a name of its own and an attribute that it shares with seven others. Returns the identifiers
/// of some, from all over.
async fn make(connector: &Connector, number: u64) -> Vec<String> {
    let every = number.div_ceil(ASKED);
    let makers = (0..MAKERS).map(|maker| {
        let connector = connector.clone();
        tokio::spawn(async move {
            let (mut connection, mut answer) = (connector.connect().await, Vec::new());
            let mut kept = Vec::new();
            for number in (maker as u64..number).step_by(MAKERS) {
                let create = message::create_with(vec![by_name(number), by_attribute(number)]);
                connection.exchange(&create.encode(), &mut answer).await;
                if number % every == 0 {
                    let key = message::identifier(&Item::decode(&answer));
                    // The first Get of a key writes its row, whose others do not.
                    let get = about_key(&key);
                    connection.exchange(&get, &mut answer).await;
                    assert_answered(&get, &answer);
                    kept.push(key);
                }
            }
            kept
        })
    });
    let mut identifiers = Vec::new();
    for maker in makers.collect::<Vec<_>>() {
        identifiers.extend(maker.await.expect("a maker of keys"));
    }
    identifiers
}
