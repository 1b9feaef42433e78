//! The auditor's policy (C2SP tlog-policy): whose logs are believed, and which witnesses have to have seen a checkpoint.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;

use super::{Checkpoint, CheckpointError, NoteError, SignatureType, SignedNote, VerifierKey};

/// The most lines of a kind that a policy is read with.
const MOST: usize = 256;

/// Which checkpoints are believed: those that one of the logs signed, and enough witnesses have seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    members: Vec<Member>,
    /// Which member has to have seen a checkpoint; none where no witness is asked for.
    quorum: Option<usize>,
}

/// A log that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLog {
    /// Its key; the key's name is the log's origin.
    pub key: VerifierKey,
    /// Where it is.
    pub url: Option<String>,
}

/// A witness that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyWitness {
    /// What the policy calls it.
    pub name: String,
    /// Its key, of the type [`SignatureType::Cosignature`].
    pub key: VerifierKey,
    /// Where it is asked to cosign.
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Member {
    Witness(PolicyWitness),
    Group {
        name: String,
        threshold: usize,
        /// By their places; each is before this one.
        members: Vec<usize>,
    },
}

/// A checkpoint that the policy believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Believed {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// By which log's key.
    pub log: VerifierKey,
    /// Which witnesses cosigned it, as the policy names them, and when (seconds since 1970).
    pub cosigned: Vec<(String, u64)>,
    /// Whether they are enough.
    pub quorum: bool,
}

/// Text that is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{why}", place(*line))]
pub struct PolicyError {
    /// The line that is wrong, from 1; 0 for the whole.
    line: usize,
    why: String,
}

fn place(line: usize) -> String {
    if line == 0 {
        "the policy: ".to_owned()
    } else {
        format!("line {line} of the policy: ")
    }
}

/// Why a checkpoint is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disbelief {
    /// The text is no checkpoint.
    #[error(transparent)]
    NoCheckpoint(#[from] CheckpointError),
    /// A known key's signature does not hold.
    #[error(transparent)]
    Note(NoteError),
    /// No log of the policy signed it.
    #[error("no log of the policy signed this checkpoint of {origin}; it names the keys {named}")]
    UnknownLog {
        /// The checkpoint's origin.
        origin: String,
        /// Who signed it, by the note's own words.
        named: String,
    },
    /// A log signed a checkpoint of another.
    #[error("the checkpoint is of the log {origin}, and the key of {key} signed it")]
    OtherOrigin {
        /// The checkpoint's origin.
        origin: String,
        /// The name of the key.
        key: String,
    },
}

impl Policy {
    /// A policy that believes one log, and asks for no witness.
    pub fn of_log(key: VerifierKey) -> Self {
        Self {
            logs: vec![PolicyLog { key, url: None }],
            members: Vec::new(),
            quorum: None,
        }
    }

    /// The same policy, which believes this log too.
    #[must_use]
    pub fn with_log(mut self, key: VerifierKey) -> Self {
        if self.logs.iter().all(|log| log.key.key() != key.key()) {
            self.logs.insert(0, PolicyLog { key, url: None });
        }
        self
    }

    /// The logs that it believes.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses that it knows.
    pub fn witnesses(&self) -> impl Iterator<Item = &PolicyWitness> {
        self.members.iter().filter_map(|member| match member {
            Member::Witness(witness) => Some(witness),
            Member::Group { .. } => None,
        })
    }

    /// Whether it asks for a witness at all.
    pub const fn asks_for_witnesses(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether these witnesses, by the policy's names, are enough.
    pub fn is_quorum(&self, names: &[&str]) -> bool {
        let mut seen = Vec::with_capacity(self.members.len());
        for member in &self.members {
            seen.push(match member {
                Member::Witness(witness) => names.contains(&witness.name.as_str()),
                Member::Group {
                    threshold, members, ..
                } => members.iter().filter(|member| seen[**member]).count() >= *threshold,
            });
        }
        self.quorum.is_none_or(|quorum| seen[quorum])
    }

    /// The checkpoint of a note that one of the logs signed. Whether enough witnesses did is told in it. Refused where the
    /// signature of any known key does not hold: such a note was tampered with (C2SP signed-note).
    pub fn believe(&self, note: &SignedNote) -> Result<Believed, Disbelief> {
        let checkpoint: Checkpoint = note.text.parse()?;
        let logs = self.logs.iter().map(|log| &log.key);
        let signed = match note.verified_by(logs) {
            Err(NoteError::Unsigned) => {
                let named: Vec<_> = note.signatures.iter().map(|each| each.name.as_str()).collect();
                return Err(Disbelief::UnknownLog {
                    origin: checkpoint.origin,
                    named: named.join(", "),
                });
            }
            signed => signed.map_err(Disbelief::Note)?,
        };
        let Some((log, _)) = signed.iter().find(|(key, _)| key.name() == checkpoint.origin) else {
            return Err(Disbelief::OtherOrigin {
                origin: checkpoint.origin,
                key: signed[0].0.name().to_owned(),
            });
        };
        let log = (*log).clone();
        let mut cosigned = Vec::new();
        for witness in self.witnesses() {
            match note.verified_by([&witness.key]) {
                Err(NoteError::Unsigned) => {}
                signed => {
                    let time = signed.map_err(Disbelief::Note)?[0].1.time;
                    cosigned.push((witness.name.clone(), time.unwrap_or_default()));
                }
            }
        }
        let names: Vec<_> = cosigned.iter().map(|(name, _)| name.as_str()).collect();
        let quorum = self.is_quorum(&names);
        Ok(Believed {
            checkpoint,
            log,
            cosigned,
            quorum,
        })
    }

    /// Reads a policy. Comments may have any bytes of [C2SP tlog-policy](https://c2sp.org/tlog-policy); all else is UTF-8 here.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PolicyError> {
        let mut reader = Reader::default();
        for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            reader.line(line).map_err(|why| PolicyError {
                line: number + 1,
                why,
            })?;
        }
        let quorum = match reader.quorum {
            Quorum::NoWitness => None,
            Quorum::Of(member) => Some(member),
            Quorum::Unsaid => {
                let why = "it has no line `quorum NAME`, or `quorum none`".to_owned();
                return Err(PolicyError { line: 0, why });
            }
        };
        Ok(Self {
            logs: reader.logs,
            members: reader.members,
            quorum,
        })
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::from_bytes(text.as_bytes())
    }
}

/// The policy file, without comments.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for log in &self.logs {
            writeln!(f, "log {}{}", log.key, url(&log.url))?;
        }
        let name = |member: &Member| match member {
            Member::Witness(PolicyWitness { name, .. }) | Member::Group { name, .. } => name.clone(),
        };
        for member in &self.members {
            match member {
                Member::Witness(witness) => {
                    writeln!(f, "witness {} {}{}", witness.name, witness.key, url(&witness.url))?;
                }
                Member::Group {
                    name: group,
                    threshold,
                    members,
                } => {
                    write!(f, "group {group} {threshold}")?;
                    for member in members {
                        write!(f, " {}", name(&self.members[*member]))?;
                    }
                    writeln!(f)?;
                }
            }
        }
        match self.quorum {
            Some(quorum) => writeln!(f, "quorum {}", name(&self.members[quorum])),
            None => writeln!(f, "quorum none"),
        }
    }
}

/// What a policy's line says of the quorum.
#[derive(Default)]
enum Quorum {
    #[default]
    Unsaid,
    NoWitness,
    Of(usize),
}

#[derive(Default)]
struct Reader {
    logs: Vec<PolicyLog>,
    members: Vec<Member>,
    names: HashMap<String, usize>,
    /// What is a member of some group: nothing may be one twice.
    grouped: HashSet<usize>,
    quorum: Quorum,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        if line.iter().any(|byte| *byte != b'\t' && byte.is_ascii_control()) {
            return Err("it has a control character in it that is no tab".into());
        }
        let begin = line.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
        let Some(begin) = begin.filter(|begin| line[*begin] != b'#') else {
            return Ok(());
        };
        let text = std::str::from_utf8(&line[begin..]).map_err(|_| "it is not UTF-8")?;
        let items: Vec<&str> = text.split([' ', '\t']).filter(|item| !item.is_empty()).collect();
        match items[..] {
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, threshold, ref members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err(format!(
                "expected log VKEY [URL], witness NAME VKEY [URL], group NAME all|any|K NAME..., or quorum NAME|none, and {text:?} came"
            )),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), String> {
        let key: VerifierKey = key.parse().map_err(|error: NoteError| error.to_string())?;
        if key.signature_type() == SignatureType::Cosignature {
            return Err(format!("the key of {} is a witness's, not a log's", key.name()));
        }
        if self.logs.iter().any(|log| log.key.key() == key.key()) {
            return Err(format!("the key of the log {} stands there twice", key.name()));
        }
        if self.logs.len() == MOST {
            return Err(format!("there are more than {MOST} logs"));
        }
        let url = url.map(str::to_owned);
        self.logs.push(PolicyLog { key, url });
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), String> {
        let key: VerifierKey = key.parse().map_err(|error: NoteError| error.to_string())?;
        if key.signature_type() != SignatureType::Cosignature {
            let kind = key.signature_type().name();
            return Err(format!(
                "the key of the witness {name} is of {kind}, and expected is one of cosignatures (0x04)"
            ));
        }
        let same = |member: &Member| matches!(member, Member::Witness(other) if other.key.key() == key.key());
        if self.members.iter().any(same) {
            return Err(format!("the key of the witness {name} stands there twice"));
        }
        self.define(
            name,
            Member::Witness(PolicyWitness {
                name: name.to_owned(),
                key,
                url: url.map(str::to_owned),
            }),
        )
    }

    fn group(&mut self, name: &str, threshold: &str, listed: &[&str]) -> Result<(), String> {
        let mut members = Vec::with_capacity(listed.len());
        for member in listed {
            let place = self.known(member)?;
            if !self.grouped.insert(place) {
                return Err(format!("{member} is a member of a group already"));
            }
            members.push(place);
        }
        let decimal = threshold.bytes().all(|byte| byte.is_ascii_digit());
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => number
                .parse()
                .ok()
                .filter(|_| decimal)
                .ok_or_else(|| format!("{number:?} is neither all, nor any, nor a number"))?,
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(format!(
                "{threshold} of the {} members of {name} can't be asked for",
                members.len()
            ));
        }
        self.define(
            name,
            Member::Group {
                name: name.to_owned(),
                threshold,
                members,
            },
        )
    }

    fn quorum(&mut self, name: &str) -> Result<(), String> {
        if !matches!(self.quorum, Quorum::Unsaid) {
            return Err("there is a quorum already".into());
        }
        self.quorum = if name == "none" {
            Quorum::NoWitness
        } else {
            Quorum::Of(self.known(name)?)
        };
        Ok(())
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), String> {
        if name == "none" {
            return Err("nothing can be called none".into());
        }
        if self.members.len() == MOST {
            return Err(format!("there are more than {MOST} witnesses and groups"));
        }
        if self.names.insert(name.to_owned(), self.members.len()).is_some() {
            return Err(format!("{name} was defined before"));
        }
        self.members.push(member);
        Ok(())
    }

    fn known(&self, name: &str) -> Result<usize, String> {
        let place = self.names.get(name).copied();
        place.ok_or_else(|| format!("no witness or group on a line before is called {name}"))
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::super::{Hash, Head, cosigned};
    use super::*;

    const ORIGIN: &str = "node-1/claviger";

    fn log() -> SigningKey {
        SigningKey::from_bytes(&[1; 32])
    }

    fn witness(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number + 100; 32])
    }

    fn key(name: &str, signature_type: SignatureType, key: &SigningKey) -> VerifierKey {
        VerifierKey::new(name, signature_type, key.verifying_key().as_bytes()).unwrap()
    }

    fn witness_key(number: u8) -> VerifierKey {
        key(
            &format!("w.example/{number}"),
            SignatureType::Cosignature,
            &witness(number),
        )
    }

    /// Six witnesses in two groups, as the example of tlog-policy.
    fn policy() -> String {
        let log = key(ORIGIN, SignatureType::Ed25519, &log());
        let witness = |number| {
            let key = witness_key(number);
            format!("witness\tW{number}  {key} https://w{number}.example/\n")
        };
        let witnesses: Vec<_> = (1..=6).map(witness).collect();
        format!("# an auditor's\nlog {log}\n\n{}", witnesses.concat())
            + "group X 2 W1 W2 W3\ngroup Y any W4 W5 W6\n group X-and-Y all X Y\nquorum X-and-Y\n"
    }

    fn note(witnesses: &[u8]) -> SignedNote {
        let head = Head {
            size: 3,
            root: Hash([7; 32]),
        };
        let text = Checkpoint {
            origin: ORIGIN.into(),
            head,
        }
        .to_string();
        let signature = log().sign(text.as_bytes()).to_bytes().to_vec();
        let mut signatures = vec![key(ORIGIN, SignatureType::Ed25519, &log()).signature(signature)];
        for number in witnesses {
            let signature = witness(*number).sign(cosigned(&text, 1000).as_bytes());
            let timed = [&1000u64.to_be_bytes()[..], &signature.to_bytes()].concat();
            signatures.push(witness_key(*number).signature(timed));
        }
        SignedNote { text, signatures }
    }

    #[test]
    fn a_checkpoint_is_believed_with_a_quorum_of_its_witnesses_and_no_fewer() {
        let policy: Policy = policy().parse().unwrap();
        assert_eq!(policy.to_string().parse::<Policy>().as_ref(), Ok(&policy));
        for (witnesses, enough) in [
            (&[1, 3, 5][..], true),
            (&[1, 2, 3, 4, 5, 6], true),
            (&[1, 2, 3], false),
            (&[1, 4, 5, 6], false),
            (&[], false),
        ] {
            let believed = policy.believe(&note(witnesses)).unwrap();
            assert_eq!(believed.quorum, enough, "{witnesses:?}");
            assert_eq!(believed.cosigned.len(), witnesses.len());
        }
        let alone = Policy::of_log(key(ORIGIN, SignatureType::Ed25519, &log()));
        assert!(alone.believe(&note(&[])).unwrap().quorum);
    }

    #[test]
    fn what_no_known_log_signed_or_a_known_key_did_not_is_not_believed() {
        let policy: Policy = policy().parse().unwrap();
        let mut forged = note(&[1]);
        forged.signatures[1].signature[20] ^= 1;
        assert!(
            matches!(policy.believe(&forged), Err(Disbelief::Note(NoteError::Forged(name))) if name == "w.example/1")
        );
        let mut unsigned = note(&[1]);
        unsigned.signatures.remove(0);
        assert!(matches!(
            policy.believe(&unsigned),
            Err(Disbelief::UnknownLog { .. })
        ));
        let other = key("another/log", SignatureType::Ed25519, &log());
        let mut elsewhere = note(&[]);
        elsewhere.signatures[0] = other.signature(elsewhere.signatures[0].signature.clone());
        assert!(matches!(
            Policy::of_log(other).believe(&elsewhere),
            Err(Disbelief::OtherOrigin { .. })
        ));
    }

    #[test]
    fn a_policy_that_could_be_misread_is_refused_with_its_line() {
        let sound = policy();
        let log = sound.lines().nth(1).unwrap();
        let w1 = witness_key(1);
        for (text, why) in [
            (sound.replace("quorum X-and-Y\n", ""), "no line `quorum NAME`"),
            (sound.clone() + "quorum none\n", "line 14"),
            (sound.replace(" 2 W1", " 4 W1"), "line 10"),
            (sound.replace(" 2 W1", " 0 W1"), "line 10"),
            (sound.replace(" 2 W1", " +2 W1"), "line 10"),
            (
                sound.replace("any W4 W5", "any W1 W5"),
                "member of a group already",
            ),
            (sound.replace("any W4 W5", "any Y W5"), "on a line before"),
            (sound.replace("group Y any W4 W5 W6", "group Y any"), "line 11"),
            (sound.replace("W2 ", "W1 "), "defined before"),
            (sound.replace("W2 ", "none "), "called none"),
            (format!("{log}\n{log}\nquorum none\n"), "twice"),
            (format!("witness a {w1}\nwitness b {w1}\nquorum none\n"), "twice"),
            (format!("log {w1}\nquorum none\n"), "a witness's"),
            (sound.replace("log ", "witness a "), "cosignatures"),
            (sound.replace('\t', "\u{7f}"), "control character"),
            (sound.replace("quorum X", "quorums X"), "expected log VKEY"),
        ] {
            let error = text.parse::<Policy>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}: {why}");
        }
        let latin = [b"# gr\xfcn\n", sound.as_bytes()].concat();
        assert!(Policy::from_bytes(&latin).is_ok());
    }
}
