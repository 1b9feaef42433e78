//! The servers under test: one for each policy that cases presume.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::case::{Case, Exchange};
use crate::support::client::Client;
use crate::support::server::{Server, device};
use crate::wire::Encoding;
use claviger_hsm::testkit::SoftHsm;

/// What a server does with seeds for its random numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seeds {
    #[default]
    All,
    AtMost(u32),
    Refused,
}

impl Seeds {
    /// The policy that a case's answers show.
    pub fn presumed_by(case: &Case) -> Self {
        for (request, answer) in case.exchanges.iter().flat_map(Exchange::items) {
            if request.value_of("Operation") != Some("RNGSeed") {
                continue;
            }
            let Some(answer) = answer else { continue };
            if answer.value_of("ResultReason") == Some("PermissionDenied") {
                return Self::Refused;
            }
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
            let given = request
                .find("RequestPayload")
                .and_then(|payload| payload.value_of("Data"))
                .map_or(0, |data| data.len() / 2);
            let taken = answer
                .find("ResponsePayload")
                .and_then(|payload| payload.value_of("DataLength"));
            match number(taken) {
                Some(taken) if (taken as usize) < given => return Self::AtMost(taken),
                _ => {}
            }
        }
        Self::All
    }

    /// Its line of the configuration.
    fn setting(self) -> String {
        match self {
            Self::All => String::new(),
            Self::AtMost(bytes) => format!("rng_seed = {bytes}\n"),
            Self::Refused => "rng_seed = \"refuse\"\n".to_owned(),
        }
    }
}

/// What stands in `[kmip]` of the servers under test, and the sections after it.
fn settings(seeds: Seeds) -> String {
    format!(
        "cryptography_in_server = true\n{}[https]\nlisten = [\"127.0.0.1:0\"]\n",
        seeds.setting()
    )
}

/// How many adapters a server gets: with each one more, making another takes longer.
const ADAPTERS: usize = 40;

/// Servers that are started when a case needs one.
#[derive(Default)]
pub struct Servers {
    /// Each with the number of its adapters.
    running: BTreeMap<Seeds, (Rc<Server>, usize)>,
    adapters: usize,
}

/// An adapter of its own on one of the servers.
pub struct Adapter {
    server: Rc<Server>,
    name: String,
}

impl Servers {
    /// A new adapter.
    pub fn adapter(&mut self, seeds: Seeds) -> Adapter {
        self.adapters += 1;
        let name = format!("case-{}", self.adapters);
        if self.running.get(&seeds).is_some_and(|(_, has)| *has == ADAPTERS)
            && let Some((full, _)) = self.running.remove(&seeds)
        {
            full.verify_custody_log();
        }
        let (server, has) = self
            .running
            .entry(seeds)
            .or_insert_with(|| (Rc::new(start(seeds)), 0));
        *has += 1;
        server.adapter(&name);
        let server = Rc::clone(server);
        Adapter { server, name }
    }

    /// The custody logs hold.
    pub fn verify(&self) {
        self.running
            .values()
            .for_each(|(server, _)| server.verify_custody_log());
    }
}

fn start(seeds: Seeds) -> Server {
    let token = SoftHsm::new();
    let device = device("hsm", &token.device_config("hsm"), 2, 2);
    let server = Server::start_configured(vec![token], &format!("{}{device}", settings(seeds)));
    server.must(&["root-key", "create", "root"]);
    server
}

impl Adapter {
    /// A client of this adapter, known from now on, for the transport of an encoding.
    pub fn client(&self, name: &str, encoding: Encoding) -> Client {
        let name = format!("{}-{name}-{encoding}", self.name);
        let client = self.server.client_of(&self.name, &name);
        if encoding.is_over_https() {
            let address = SocketAddr::from(([127, 0, 0, 1], self.https_port()));
            return Client { address, ..client };
        }
        client
    }

    /// The port that the system gave for HTTPS.
    fn https_port(&self) -> u16 {
        let ready = self.server.wait_for_log("the server is ready");
        let listens = ready.split("https=").nth(1).unwrap_or_default();
        let port = listens.split("127.0.0.1:").nth(1).unwrap_or_default();
        let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|_| panic!("no port in {ready}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_for_seeds_is_read_off_the_expected_answer() {
        let case = |answer: &str| {
            Case::parse(
                "X-1",
                &format!(
                    "<KMIP><RequestMessage><BatchItem><Operation type='Enumeration' value='RNGSeed'/>\
                     <RequestPayload><Data type='ByteString' value='00010203'/></RequestPayload></BatchItem>\
                     </RequestMessage><ResponseMessage><BatchItem>{answer}</BatchItem></ResponseMessage></KMIP>"
                ),
            )
        };
        let taken = |bytes: u32| {
            let length = format!("<DataLength type='Integer' value='{bytes}'/>");
            Seeds::presumed_by(&case(&format!("<ResponsePayload>{length}</ResponsePayload>")))
        };
        assert_eq!(taken(4), Seeds::All);
        assert_eq!(taken(2), Seeds::AtMost(2));
        assert_eq!(taken(0), Seeds::AtMost(0));
        let refused = case("<ResultReason type='Enumeration' value='PermissionDenied'/>");
        assert_eq!(Seeds::presumed_by(&refused), Seeds::Refused);
    }
}
