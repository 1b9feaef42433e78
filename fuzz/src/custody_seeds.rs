//! What the targets of the custody log start from.

use claviger::custody::{
    Actor, Event, EventName, Hash, Node, ObjectFacts, Origin, Record, RootKeyFacts, Run, SignatureType,
    TlogProof, VerifierKey, consistency_plan, fold, inclusion_plan, leaf_hash,
};
use claviger::witness::AddCheckpoint;
use time::{Duration, OffsetDateTime};
use uuid::{Builder, Uuid};

use crate::{signed, write};

/// How many records the logs of the proofs have.
const SIZES: std::ops::Range<u64> = 5..40;

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

/// The hashes of a plan.
fn proof(leaves: &[Hash], plan: &[Run]) -> Vec<Hash> {
    let at = |place: u64| usize::try_from(place).expect("it is small");
    let of = |node: &Node| {
        signed::root(&leaves[at(node.index << node.height)..at((node.index + 1) << node.height)])
    };
    let hashes = plan
        .iter()
        .map(|run| fold(&run.iter().map(of).collect::<Vec<_>>()));
    hashes.map(|hash| hash.expect("no run is empty")).collect()
}

/// An event with all that one of its name could have.
fn event(name: EventName, number: u128) -> Event {
    let actor = match number % 3 {
        0 => Actor::Server,
        1 => Actor::Unknown,
        _ => Actor::Client {
            certificate: "ab".repeat(32),
            subject: "O=VMware, CN=vcenter-1".to_owned(),
            issuer: "CN=vcenter-1".to_owned(),
            serial: "01".to_owned(),
            user: Some("esxi-9".to_owned()),
        },
    };
    let mut event = Event::new(name, actor).detail("detail", "=1+1|\\ ]\"");
    event.origin = Some(Origin {
        address: std::net::Ipv6Addr::LOCALHOST.into(),
        port: 5696,
        tls_version: Some("TLSv1.3".to_owned()),
    });
    event.object = Some(ObjectFacts {
        identifier: Uuid::from_u128(number % 4 + 1).to_string(),
        state_before: Some("Active".into()),
        ..ObjectFacts::default()
    });
    event.root_key = Some(RootKeyFacts {
        id: Uuid::from_u128(77),
        backend: "hsm".into(),
        token_serial: "01".into(),
        label: "claviger.a.v1".into(),
        version: 1,
        wrap_profile: None,
        release_profile: Some("transport".into()),
    });
    match number % 7 {
        0 => event.refused("Permission Denied"),
        1 => event.failed("General Failure"),
        _ => event,
    }
}

/// The records of a log that has each event once.
fn records() -> Vec<Vec<u8>> {
    let start = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let records = (0..).zip(EventName::ALL).map(|(number, name)| {
        let time = start + Duration::seconds(number);
        let milliseconds = 1000 * u64::try_from(time.unix_timestamp()).expect("it is after 1970");
        let mut rest = [0; 10];
        rest[2..].copy_from_slice(&number.to_be_bytes());
        let id = Builder::from_unix_timestamp_millis(milliseconds, &rest);
        let (sequence, number) = (number.unsigned_abs(), u128::from(number.unsigned_abs()));
        Record::new(sequence, id.into_uuid(), time, "fuzz", "0", event(*name, number)).to_bytes()
    });
    records.collect()
}

/// Fills the folders of the targets.
pub fn write_all() -> std::io::Result<()> {
    for (number, size) in SIZES.enumerate() {
        let leaves = leaves(size);
        let note = signed::checkpoint(&leaves);
        write("note", number, note.to_string().as_bytes())?;
        let index = size / 2;
        let record = index.to_be_bytes();
        let plan = inclusion_plan(index, size).expect("the record is there");
        let of_record = TlogProof {
            extra: Some(record.to_vec()),
            index,
            hashes: proof(&leaves, &plan),
            note: note.clone(),
        };
        write("tlog_proof", number, of_record.to_string().as_bytes())?;
        for (place, old) in [0, SIZES.start].into_iter().enumerate() {
            let plan = consistency_plan(old, size).expect("it is smaller");
            let body = AddCheckpoint {
                old,
                proof: proof(&leaves, &plan),
                note: note.clone(),
            };
            write("add_checkpoint", 2 * number + place, body.to_string().as_bytes())?;
        }
    }
    let key = signed::key().to_string();
    for (number, text) in [key.clone(), signed::checkpoint(&[]).text].iter().enumerate() {
        write("note", SIZES.count() + number, text.as_bytes())?;
    }
    let witness = |number: u8| {
        let bytes = ed25519_dalek::SigningKey::from_bytes(&[number; 32]).verifying_key();
        let key = VerifierKey::new("w.example", SignatureType::Cosignature, bytes.as_bytes());
        format!(
            "witness w{number} {} https://w.example/{number}\n",
            key.expect("it is a key")
        )
    };
    let witnesses: String = (1..=4).map(witness).collect();
    for (number, rest) in ["quorum none\n", "quorum w1\n", "group g any w1 w2\nquorum g\n"]
        .into_iter()
        .chain(["# é\n\tgroup a 2 w1 w2 w3\ngroup b all a w4\nquorum b\n"])
        .enumerate()
    {
        write(
            "policy",
            number,
            format!("log {key}\n{witnesses}{rest}").as_bytes(),
        )?;
    }
    let records = records();
    let lines: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    for (number, part) in lines.chunks(5).chain([&lines[..]]).enumerate() {
        write("signed_log", number, &part.join(&b'\n'))?;
        write("bundle", number, &signed::bundle(part))?;
    }
    Ok(())
}
