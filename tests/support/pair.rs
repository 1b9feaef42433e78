//! Two servers over one PostgreSQL and one token, and a client that asks them.

use std::time::{Duration, Instant};

use claviger_hsm::DeviceConfig;
use claviger_hsm::testkit::SoftHsm;

use super::client::{Client, Connection};
use super::message::{self, about, create};
use super::postgres::PostgresServer;
use super::server::{ADAPTER, Server, device};
use super::ttlv::Item;

/// How long anything may take before a test gives up.
pub const LIMIT: Duration = Duration::from_mins(2);

/// Two servers, the database that they share, and where the public key of their log is.
pub struct Pair {
    pub first: Server,
    pub second: Server,
    pub postgres: PostgresServer,
    _folder: tempfile::TempDir,
}

/// In what the second server differs from the first, and what else is in the configurations of both.
#[derive(Default)]
pub struct Differing {
    /// More sections in both configurations.
    pub of_both: String,
    /// Another way to the database.
    pub url: Option<String>,
    /// Another way to the device.
    pub device: Option<DeviceConfig>,
    /// More sections in its configuration.
    pub sections: String,
}

impl Pair {
    /// A pair that signs its log, with a root key and the adapter [`ADAPTER`].
    pub fn start() -> Self {
        let postgres = PostgresServer::start();
        let url = postgres.new_database();
        Self::start_at(postgres, &url)
    }

    /// The same, over a database at this address.
    pub fn start_at(postgres: PostgresServer, url: &str) -> Self {
        Self::start_differing(postgres, url, SoftHsm::new(), &Differing::default())
    }

    /// The same, on this token, with a second server that differs.
    pub fn start_differing(
        postgres: PostgresServer,
        url: &str,
        token: SoftHsm,
        differing: &Differing,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sections = |url: &str, config: &DeviceConfig| {
            format!(
                "{}\n[store]\nurl = \"{url}\"\nconnections = 8\n[custody]\norigin = \"example.org/pair\"\npublic_key = \"{}\"\n{}",
                differing.of_both,
                folder.path().join("custody.vkey").display(),
                device("hsm", config, 2, 2),
            )
        };
        let own = token.device_config("hsm");
        let others = sections(
            differing.url.as_deref().unwrap_or(url),
            differing.device.as_ref().unwrap_or(&own),
        );
        let sections = sections(url, &own);
        let mut first = Server::start_node("first", vec![token], &sections);
        first.must(&["custody", "key", "create"]);
        first.restart();
        let second = Server::start_node("second", Vec::new(), &format!("{}\n{others}", differing.sections));
        first.must(&["root-key", "create", "root"]);
        first.adapter(ADAPTER);
        Self {
            first,
            second,
            postgres,
            _folder: folder,
        }
    }

    /// A client that both let in: at the first, and at the second.
    pub fn client(&self) -> [Client; 2] {
        let at_first = self.first.client("client");
        let both = [at_first.clone(), self.second.seen_by(&at_first)];
        eventually("the client is admitted by both", || {
            both.iter().all(|at| at.try_connect().is_ok())
        });
        both
    }
}

/// Waits until this is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LIMIT, "{what}");
        std::thread::yield_now();
    }
}

/// What the key's bytes are, or why they were not had.
pub fn get(client: &Client, identifier: &str) -> Result<Vec<u8>, String> {
    get_over(&mut client.try_connect()?, identifier)
}

/// The same over a connection that is there.
pub fn get_over(connection: &mut Connection, identifier: &str) -> Result<Vec<u8>, String> {
    let answer = ask(connection, &about(message::GET, identifier))?;
    Ok(message::key_material(&answer))
}

/// The identifier of a new key, or why it was not made.
pub fn make(client: &Client) -> Result<String, String> {
    make_over(&mut client.try_connect()?)
}

/// The same over a connection that is there.
pub fn make_over(connection: &mut Connection) -> Result<String, String> {
    let answer = ask(connection, &create())?;
    Ok(message::identifier(&answer))
}

/// The answer to a request that was carried out.
pub fn ask(connection: &mut Connection, request: &Item) -> Result<Item, String> {
    let answer = Item::decode(&connection.exchange_bytes(&request.encode())?);
    message::outcome(&answer).map_err(|(_, why)| why)?;
    Ok(answer)
}
