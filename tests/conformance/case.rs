//! A test case: its exchanges, and what its file says of connections and clients.

use std::path::{Path, PathBuf};

use crate::oasis::xml::{self, Node};
use crate::oasis::{self, Element};

/// The seconds that a case waits for what it says will come.
const WAITED: i64 = 5;

/// A request with the answer that is expected.
#[derive(Debug)]
pub struct Exchange {
    pub request: Node,
    pub response: Node,
    /// A new connection is made for it.
    pub connects: bool,
    /// The client that it is of, where the file tells them apart.
    pub client: Option<String>,
    /// It is the server that would ask.
    pub by_server: bool,
    /// It is repeated until the answer is the expected one.
    pub repeats: bool,
}

/// A file.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    /// As its messages have it: `1.4`.
    pub version: String,
    /// The letters of its name: `SKFF`, `TC-REKEY`.
    pub family: String,
    pub exchanges: Vec<Exchange>,
    /// Its comments.
    pub comments: String,
    /// Why it cannot be read to its end.
    pub malformed: Option<String>,
}

impl Case {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(&name, &String::from_utf8_lossy(&bytes)),
            Err(error) => Self {
                malformed: Some(format!("cannot be read: {error}")),
                ..Self::parse(&name, "")
            },
        }
    }

    /// Reads the text of a file of this name.
    pub fn parse(name: &str, text: &str) -> Self {
        let document = xml::read(text);
        let messages = oasis::messages(&document);
        let mut malformed = document
            .error
            .as_ref()
            .map(|error| format!("not well-formed: {error}"));
        let mut exchanges: Vec<Exchange> = Vec::new();
        let mut open: Vec<&Node> = Vec::new();
        for message in &messages {
            match message.name.as_str() {
                "RequestMessage" => open.push(message),
                // One file has a request within another's exchange: its answer comes first.
                "ResponseMessage" => match open.pop() {
                    Some(request) => exchanges.push(Exchange::new(request.clone(), (*message).clone())),
                    None => complain(&mut malformed, "a response without its request"),
                },
                other => complain(&mut malformed, &format!("{other} is no message")),
            }
        }
        for request in open {
            exchanges.push(Exchange::new(request.clone(), Node::default()));
            complain(&mut malformed, "a request without its response");
        }
        if exchanges.is_empty() {
            complain(&mut malformed, "it holds no message");
        }
        Self {
            version: version(&messages).unwrap_or_else(|| "unknown".to_owned()),
            name: name.to_owned(),
            family: family(name),
            exchanges,
            comments: document.comments.clone(),
            malformed,
        }
    }

    /// By how many seconds its clock is moved back: a case that waits for a time that it names itself shall not have to
    /// wait for so long.
    pub fn moved_back(&self) -> i64 {
        if !self.exchanges.iter().any(|exchange| exchange.repeats) {
            return 0;
        }
        let requests = self
            .exchanges
            .iter()
            .flat_map(|exchange| exchange.request.everything());
        let ahead = requests.filter_map(|node| node.value()?.strip_prefix("$NOW+")?.parse().ok());
        ahead.min().map_or(0, |ahead: i64| (ahead - WAITED).max(0))
    }

    /// Whether its file speaks of two clients without telling which of them asks.
    pub fn has_two_clients(&self) -> bool {
        let words = self.comments.split_whitespace().collect::<Vec<_>>().join(" ");
        words.contains("two clients") && self.exchanges.iter().all(|exchange| exchange.client.is_none())
    }
}

/// Says the first thing that is wrong with a file.
fn complain(malformed: &mut Option<String>, words: &str) {
    malformed.get_or_insert_with(|| words.to_owned());
}

impl Exchange {
    fn new(request: Node, response: Node) -> Self {
        let marks = || request.before.lines().map(str::trim);
        let client = |line: &str| {
            let name = line.strip_prefix("# [")?.strip_suffix(']')?;
            name.strip_prefix("Client-")
                .filter(|name| !name.contains("to-Server"))
                .map(str::to_owned)
        };
        Self {
            connects: marks().any(|line| line.starts_with("# TIME")),
            client: marks().find_map(client),
            by_server: marks().any(|line| line == "# [Server-to-Client]"),
            repeats: marks().any(|line| line.starts_with("# [REPEAT]")),
            request,
            response,
        }
    }

    /// Its batch items, each with its answer where there is one.
    pub fn items(&self) -> impl Iterator<Item = (&Node, Option<&Node>)> {
        let mut answers = self.response.all("BatchItem");
        self.request
            .all("BatchItem")
            .map(move |item| (item, answers.next()))
    }

    /// The request and the expected answer, by the tables of the library.
    pub fn elements(&self) -> Result<(Element, Element), String> {
        Ok((Element::new(&self.request)?, Element::new(&self.response)?))
    }
}

/// All `*.xml` of a folder and those below it, in the order of their paths with numbers as numbers.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = every_file(folder, "xml");
    files.sort_by_cached_key(|path| natural(&path.to_string_lossy()));
    files
}

/// All files of this ending in a folder and those below it.
pub fn every_file(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return files;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            files.extend(every_file(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files
}

/// A key to sort by: `M-2` is before `M-10`.
fn natural(text: &str) -> Vec<(String, u64)> {
    let mut key = Vec::new();
    let (mut letters, mut digits) = (String::new(), String::new());
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        if !digits.is_empty() {
            key.push((std::mem::take(&mut letters), digits.parse().unwrap_or(u64::MAX)));
            digits.clear();
        }
        letters.push(character);
    }
    key.push((letters, 0));
    key
}

/// The version that the first message speaks.
fn version(messages: &[&Node]) -> Option<String> {
    let version = messages.iter().find_map(|message| {
        message
            .everything()
            .into_iter()
            .find(|node| node.name == "ProtocolVersion")
    })?;
    let number = |name| version.value_of(name);
    Some(format!(
        "{}.{}",
        number("ProtocolVersionMajor")?,
        number("ProtocolVersionMinor")?
    ))
}

/// The words of a name before its number; whether it is mandatory (M) or optional (O) is no part of it.
fn family(name: &str) -> String {
    let words: Vec<_> = name
        .split(['-', '_'])
        .take_while(|word| !word.chars().all(|character| character.is_ascii_digit()))
        .filter(|word| !matches!(*word, "M" | "O"))
        .collect();
    if words.is_empty() {
        name.to_owned()
    } else {
        words.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_the_letters_of_a_name() {
        for (name, expected) in [
            ("SKFF-M-10-11", "SKFF"),
            ("TC_311_11_Create_Destroy", "TC"),
            ("TC-I18N-1-10", "TC-I18N"),
            ("CS-AC-M-OAEP-1-14", "CS-AC-OAEP"),
            ("somebody's own", "somebody's own"),
        ] {
            assert_eq!(family(name), expected);
        }
    }

    #[test]
    fn cases_are_run_in_the_order_of_their_numbers() {
        let mut names = ["M-10.xml", "M-2.xml", "A-3.xml"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["A-3.xml", "M-2.xml", "M-10.xml"]);
    }

    #[test]
    fn what_a_file_says_of_connections_and_clients_is_kept() {
        let case = Case::parse(
            "X-1",
            "<KMIP>\n# TIME 0\n# [Client-B]\n<RequestMessage/><ResponseMessage/>\
             # [REPEAT] until so\n<RequestMessage/>\n<ResponseMessage/></KMIP>",
        );
        let [first, second] = &case.exchanges[..] else {
            panic!("{case:?}")
        };
        assert!(first.connects && first.client.as_deref() == Some("B") && !first.repeats);
        assert!(!second.connects && second.client.is_none() && second.repeats);
        assert_eq!(case.malformed, None);
    }

    #[test]
    fn a_file_that_ends_being_xml_keeps_what_was_read_before() {
        let case = Case::parse("X-1", "<KMIP><RequestMessage><PrivateKey/></Wrong></KMIP>");
        assert!(case.malformed.is_some());
        assert_eq!(case.exchanges[0].request.children[0].name, "PrivateKey");
    }
}
