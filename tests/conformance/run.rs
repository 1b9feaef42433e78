//! The run of all cases of a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::case::{self, Case, Exchange};
use crate::chain::{self, Beforehand};
use crate::comparison::Comparison;
use crate::oasis::Placeholders;
use crate::options::Options;
use crate::scope;
use crate::server::{Adapter, Seeds, Servers};
use crate::support::client::Client;
use crate::support::ttlv::{Item, enumeration, integer, structure, text};
use crate::support::{message, tag};
use crate::wire::{Encoding, Wire};

/// How long an exchange that is to be repeated is.
const REPEATED: Duration = Duration::from_mins(1);

/// What came of a case.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Failed(Failure),
    /// With the reason.
    Skipped(String),
}

/// Where an answer was another than the expected one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The number of the exchange, from 1; 0 where it is the file that is wrong.
    pub exchange: usize,
    pub differences: Vec<String>,
    /// The names and values of the request, to tell what it was about.
    pub about: BTreeSet<String>,
}

/// A case with an encoding.
#[derive(Debug)]
pub struct Run {
    pub name: String,
    pub version: String,
    pub family: String,
    pub encoding: Encoding,
    pub outcome: Outcome,
    /// What was done before, that is not in the file.
    pub prepared: Option<String>,
}

/// Runs the cases that are asked for, and those that they start from.
pub fn run(options: &Options) -> Vec<Run> {
    let files = case::files(&options.folder);
    let cases: Vec<_> = files.iter().map(|path| Case::read(path)).collect();
    run_cases(&cases, options)
}

pub fn run_cases(cases: &[Case], options: &Options) -> Vec<Run> {
    let encodings = Encoding::ALL
        .into_iter()
        .filter(|encoding| options.encoding.is_none_or(|only| only == *encoding));
    // Side by side: an encoding has servers of its own.
    std::thread::scope(|scope| {
        let running: Vec<_> = encodings
            .map(|encoding| scope.spawn(move || run_encoded(cases, options, encoding)))
            .collect();
        let runs = running
            .into_iter()
            .flat_map(|running| running.join().expect("the runner comes to its end"));
        runs.inspect(|run| run.tell(options.verbose)).collect()
    })
}

fn run_encoded(cases: &[Case], options: &Options, encoding: Encoding) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut servers = Servers::default();
    for chain in chain::chains(cases) {
        // What comes before the last that is asked for is needed for it.
        let wanted = |place: &usize| options.wants(&cases[*place].name);
        let Some(last) = chain.iter().rposition(wanted) else {
            continue;
        };
        let chain: Vec<_> = chain[..=last].iter().map(|place| &cases[*place]).collect();
        runs.extend(run_chain(&mut servers, &chain, encoding));
    }
    servers.verify();
    runs
}

fn run_chain(servers: &mut Servers, chain: &[&Case], encoding: Encoding) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut reasons = BTreeSet::new();
    // The policy of the first case that is run is that of the chain.
    let mut state: Option<Chain> = None;
    for case in chain {
        reasons.extend(scope::reasons(case));
        let mut run = Run {
            name: case.name.clone(),
            version: case.version.clone(),
            family: case.family.clone(),
            encoding,
            outcome: Outcome::Passed,
            prepared: None,
        };
        let skipped: Vec<_> = reasons.iter().map(ToString::to_string).collect();
        run.outcome = match (&case.malformed, skipped.is_empty()) {
            (Some(error), true) => Outcome::Failed(Failure::new(0, vec![error.clone()], None)),
            (None, true) => {
                let state =
                    state.get_or_insert_with(|| Chain::new(servers.adapter(Seeds::presumed_by(case))));
                if runs.is_empty() {
                    run.prepared = state.prepare(case);
                }
                match state.run(case, encoding) {
                    Ok(()) => Outcome::Passed,
                    Err(failure) => Outcome::Failed(failure),
                }
            }
            (malformed, false) => {
                let malformed = malformed.iter().map(|error| format!(" ({error})"));
                Outcome::Skipped(skipped.join(", ") + &malformed.collect::<String>())
            }
        };
        runs.push(run);
    }
    runs
}

/// Cases in one adapter.
struct Chain {
    adapter: Adapter,
    clients: BTreeMap<(String, Encoding), Client>,
    placeholders: BTreeMap<String, String>,
    /// There are keys in the adapter that the server made.
    made: bool,
}

impl Chain {
    fn new(adapter: Adapter) -> Self {
        Self {
            adapter,
            clients: BTreeMap::new(),
            placeholders: BTreeMap::new(),
            made: false,
        }
    }

    /// Makes what a case expects its server to have; says what that is.
    fn prepare(&mut self, case: &Case) -> Option<String> {
        let Beforehand { group, bits } = chain::beforehand(case)?;
        let client = self.client("A", Encoding::Binary);
        let made = client.connect().exchange(&create(&group, bits));
        message::outcome(&made).expect("a key can be made beforehand");
        self.made = true;
        Some(format!(
            "an AES key of {bits} bits is made in the group {group:?}"
        ))
    }

    fn client(&mut self, name: &str, encoding: Encoding) -> Client {
        let adapter = &self.adapter;
        let client = self.clients.entry((name.to_owned(), encoding));
        client.or_insert_with(|| adapter.client(name, encoding)).clone()
    }

    fn run(&mut self, case: &Case, encoding: Encoding) -> Result<(), Failure> {
        let mut comparison = Comparison::new(self.made);
        let unbound = chain::unbound(case);
        let kept = self
            .placeholders
            .iter()
            .filter(|(name, _)| unbound.contains(*name));
        comparison.placeholders.values = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        let (mut wires, mut connections) = (BTreeMap::new(), 0);
        let mut before: Option<&Exchange> = None;
        for (place, exchange) in case.exchanges.iter().enumerate() {
            if exchange.connects {
                wires.clear();
                connections += 1;
            }
            let second = case.has_two_clients() && connections % 2 == 0;
            let unnamed = if second { "B" } else { "A" };
            let name = exchange.client.as_deref().unwrap_or(unnamed);
            let repeats = exchange.repeats
                || before.is_some_and(|before| {
                    before.repeats && before.request.children == exchange.request.children
                });
            let failed = |differences| Failure::new(place + 1, differences, Some(exchange));
            if !wires.contains_key(name) {
                let wire = Wire::connect(&self.client(name, encoding), encoding)
                    .map_err(|error| failed(vec![error]))?;
                wires.insert(name.to_owned(), wire);
            }
            let wire = wires.get_mut(name).expect("it was put in");
            let start = Instant::now();
            loop {
                comparison.placeholders.now = OffsetDateTime::now_utc().unix_timestamp() - case.moved_back();
                let differences = compare(&mut comparison, wire, exchange);
                if differences.is_empty() {
                    break;
                }
                if !repeats || start.elapsed() > REPEATED {
                    return Err(failed(differences));
                }
            }
            before = Some(exchange);
        }
        self.made = comparison.made;
        self.placeholders = comparison.placeholders.values;
        Ok(())
    }
}

/// The request for an AES key in a group.
fn create(group: &str, bits: i32) -> Item {
    let attributes = vec![
        message::attribute("Cryptographic Algorithm", enumeration(0, 3)),
        message::attribute("Cryptographic Length", integer(0, bits)),
        message::attribute("Cryptographic Usage Mask", integer(0, 12)),
        message::attribute("Object Group", text(0, group)),
    ];
    let payload = vec![
        enumeration(tag::OBJECT_TYPE, 2),
        structure(tag::TEMPLATE_ATTRIBUTE, attributes),
    ];
    message::request(message::CREATE, payload)
}

/// Sends a request and compares its answer.
fn compare(comparison: &mut Comparison, wire: &mut Wire, exchange: &Exchange) -> Vec<String> {
    let (request, response) = match exchange.elements() {
        Ok(elements) => elements,
        Err(error) => return vec![error],
    };
    comparison.note_request(&request);
    let placeholders: &Placeholders = &comparison.placeholders;
    match wire.exchange(&exchange.request, placeholders) {
        Ok(answer) => {
            let mut differences = comparison.differences(&response, &answer);
            if !differences.is_empty() {
                let messages = answer
                    .all(tag::BATCH_ITEM)
                    .filter_map(|item| item.find(&[tag::RESULT_MESSAGE]));
                differences.extend(messages.map(|message| format!("the server says {:?}", message.text())));
            }
            differences
        }
        Err(error) => vec![error],
    }
}

impl Failure {
    fn new(exchange: usize, differences: Vec<String>, about: Option<&Exchange>) -> Self {
        let nodes = about
            .map(|exchange| exchange.request.everything())
            .unwrap_or_default();
        let about = nodes
            .into_iter()
            // The bits of a mask are no operations.
            .flat_map(|node| {
                let value = node.value().filter(|_| node.item_type() != "Integer");
                [Some(node.name.as_str()), value]
            })
            .flatten()
            .map(str::to_owned)
            .collect();
        Self {
            exchange,
            differences,
            about,
        }
    }
}

impl Run {
    /// What is said of a case that failed; none where it did not.
    pub fn failure(&self) -> Option<String> {
        matches!(self.outcome, Outcome::Failed(_))
            .then(|| format!("{} {} ({}) failed", self.version, self.name, self.encoding))
    }

    /// Prints a failure, and everything where so much is wanted.
    fn tell(&self, verbose: bool) {
        let Self {
            name,
            version,
            encoding,
            ..
        } = self;
        // Past the test harness, which keeps what tests print to itself.
        let mut out = std::io::stderr();
        let _ = match &self.outcome {
            Outcome::Failed(Failure {
                exchange: 0,
                differences,
                ..
            }) => writeln!(out, "FAILED {version} {name}: {}", differences.join("; ")),
            Outcome::Failed(failure) => writeln!(
                out,
                "FAILED {version} {name} ({encoding}), exchange {}:\n    {}",
                failure.exchange,
                failure.differences.join("\n    ")
            ),
            Outcome::Passed if verbose => writeln!(out, "passed {version} {name} ({encoding})"),
            Outcome::Skipped(reason) if verbose => writeln!(out, "skipped {version} {name}: {reason}"),
            _ => Ok(()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case of nobody's, in a version that all speak.
    fn query(status: &str) -> String {
        let version = "<ProtocolVersion><ProtocolVersionMajor type='Integer' value='1'/>\
                       <ProtocolVersionMinor type='Integer' value='2'/></ProtocolVersion>\
                       <BatchCount type='Integer' value='1'/>";
        format!(
            "<KMIP><RequestMessage><RequestHeader>{version}</RequestHeader><BatchItem>\
             <Operation type='Enumeration' value='Query'/><RequestPayload>\
             <QueryFunction type='Enumeration' value='QueryOperations'/></RequestPayload></BatchItem>\
             </RequestMessage><ResponseMessage><ResponseHeader>{version}\
             <TimeStamp type='DateTime' value='$NOW'/></ResponseHeader><BatchItem>\
             <Operation type='Enumeration' value='Query'/><ResultStatus type='Enumeration' value='{status}'/>\
             <ResponsePayload/></BatchItem></ResponseMessage></KMIP>"
        )
    }

    #[test]
    fn a_folder_that_nobody_has_seen_is_run_and_a_wrong_expectation_in_it_found() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let below = folder.path().join("of/somebody");
        std::fs::create_dir_all(&below).expect("a folder");
        for (name, text) in [
            ("right.xml", query("Success")),
            ("planted.xml", query("OperationPending")),
            ("torn.xml", "<KMIP><RequestMessage>".to_owned()),
            (
                "torn-key.xml",
                "<KMIP><RequestMessage><BatchItem><PublicKey/>".to_owned(),
            ),
        ] {
            std::fs::write(below.join(name), text).expect("a file");
        }
        let runs = run(&Options::all_of(folder.path()));
        let outcome = |name: &str| {
            let of_it = |run: &&Run| run.name == name && run.encoding == Encoding::Binary;
            &runs.iter().find(of_it).expect("it is in the report").outcome
        };
        assert_eq!(*outcome("right"), Outcome::Passed);
        let Outcome::Failed(failure) = outcome("planted") else {
            panic!("{runs:?}")
        };
        assert_eq!(failure.exchange, 1);
        assert_eq!(
            failure.differences,
            ["/Response Message/Batch Item/Result Status: expected OperationPending, got Success"]
        );
        assert!(matches!(outcome("torn"), Outcome::Failed(failure) if failure.exchange == 0));
        let Outcome::Skipped(reason) = outcome("torn-key") else {
            panic!("{runs:?}")
        };
        assert!(reason.starts_with("asymmetric (not well-formed"), "{reason}");
        assert_eq!(runs[0].version, "1.2");
    }
}
