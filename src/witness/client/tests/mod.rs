//! The log's side against real witnesses over HTTP and HTTPS, and against ones that misbehave.

mod recording;

use std::time::Duration;

use async_trait::async_trait;

use super::{Witnesses, WitnessesConfig, WitnessesError};
use crate::custody::{Checkpoint, Hash, Policy};
use crate::recorder::{Consistency, Cosigned, Cosigner};
use crate::store;
use crate::witness::testing::Log;
use crate::witness::tests::Running;

const ORIGIN: &str = "node-1/claviger";

/// Proofs from a log in memory.
struct Proofs<'l>(&'l Log);

#[async_trait]
impl Consistency for Proofs<'_> {
    async fn proof(&self, from: u64, size: u64) -> Result<Vec<Hash>, store::Error> {
        Ok(self.0.proof(from, size))
    }
}

fn log(size: u64) -> Log {
    let mut log = Log::new(ORIGIN, 1);
    log.grow(size);
    log
}

/// The policy that asks so many of these witnesses.
fn policy(number: usize, witnesses: &[&Running]) -> Policy {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut group = format!("group all-of-them {number}");
    for (index, witness) in witnesses.iter().enumerate() {
        writeln!(text, "witness w{index} {} {}/", witness.key(), witness.url()).unwrap();
        write!(group, " w{index}").unwrap();
    }
    format!("{text}{group}\nquorum all-of-them\n").parse().unwrap()
}

fn asking(policy: Policy) -> Witnesses {
    Witnesses::new(WitnessesConfig {
        policy,
        ca_file: None,
        deadline: Duration::from_secs(30),
    })
    .unwrap()
}

async fn ask(witnesses: &Witnesses, log: &Log, size: u64) -> Cosigned {
    let note = log.checkpoint(size);
    let checkpoint: Checkpoint = note.text.parse().unwrap();
    witnesses.cosign(&checkpoint, &note, &Proofs(log)).await
}

fn troubles(cosigned: &Cosigned) -> Vec<Option<&str>> {
    let witnesses = cosigned.witnesses.iter();
    witnesses.map(|witness| witness.trouble.as_deref()).collect()
}

#[tokio::test]
async fn each_checkpoint_is_cosigned_also_after_a_restart_of_either_side() {
    let log = log(400);
    let (one, other) = (Running::start(&[&log]).await, Running::start(&[&log]).await);
    let witnesses = asking(policy(2, &[&one, &other]));
    for size in [1, 1, 2, 300] {
        let cosigned = ask(&witnesses, &log, size).await;
        assert!(cosigned.quorum, "{:?}", cosigned.witnesses);
        let mut note = log.checkpoint(size);
        note.signatures.extend(cosigned.signatures);
        assert_eq!(note.verified_by([one.key(), other.key()]).unwrap().len(), 2);
    }
    // Of what was cosigned, this one knows nothing.
    let anew = asking(policy(2, &[&one, &other]));
    assert!(ask(&anew, &log, 400).await.quorum);
    // And the first is behind by now.
    assert!(ask(&witnesses, &log, 400).await.quorum);
}

#[tokio::test]
async fn a_log_that_was_put_back_is_noticed_and_gets_no_cosignature() {
    let log = log(30);
    let witness = Running::start(&[&log]).await;
    assert!(ask(&asking(policy(1, &[&witness])), &log, 30).await.quorum);
    let put_back = ask(&asking(policy(1, &[&witness])), &log, 20).await;
    assert!(!put_back.quorum && put_back.signatures.is_empty());
    let trouble = troubles(&put_back)[0].unwrap();
    assert!(
        trouble.contains("with 30 records, and there are 20 now"),
        "{trouble}"
    );
}

#[tokio::test]
async fn a_log_that_was_rewritten_gets_no_cosignature() {
    let mut log = log(30);
    let witness = Running::start(&[&log]).await;
    let witnesses = asking(policy(1, &[&witness]));
    assert!(ask(&witnesses, &log, 20).await.quorum);
    log.rewrite(3);
    let rewritten = ask(&witnesses, &log, 30).await;
    assert!(!rewritten.quorum && rewritten.signatures.is_empty());
    let trouble = troubles(&rewritten)[0].unwrap();
    assert!(
        trouble.contains("422") && trouble.contains("not proved to continue"),
        "{trouble}"
    );
}

#[tokio::test]
async fn a_witness_that_is_away_is_told_of_and_the_others_are_enough_where_the_policy_says_so() {
    let log = log(30);
    let (here, away) = (Running::start(&[&log]).await, Running::start(&[&log]).await);
    let (one, both) = (policy(1, &[&here, &away]), policy(2, &[&here, &away]));
    away.stop().await;
    let cosigned = ask(&asking(one), &log, 10).await;
    assert!(cosigned.quorum);
    let [None, Some(trouble)] = troubles(&cosigned)[..] else {
        panic!("{:?}", cosigned.witnesses);
    };
    assert!(trouble.contains("can't be reached"), "{trouble}");
    assert!(!ask(&asking(both), &log, 10).await.quorum);
}

#[tokio::test]
async fn a_witness_that_says_nothing_is_not_waited_for_longer_than_the_deadline() {
    let log = log(30);
    let witness = Running::start(&[&log]).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = format!(
        "witness w {} http://{}\nquorum w\n",
        witness.key(),
        silent.local_addr().unwrap()
    );
    let witnesses = Witnesses::new(WitnessesConfig {
        policy: text.parse().unwrap(),
        ca_file: None,
        deadline: Duration::from_millis(100),
    });
    let cosigned = ask(&witnesses.unwrap(), &log, 10).await;
    assert_eq!(troubles(&cosigned), [Some("no answer came within 100ms")]);
}

#[tokio::test]
async fn a_cosignature_by_another_key_is_not_taken() {
    let log = log(30);
    let (one, other) = (Running::start(&[&log]).await, Running::start(&[&log]).await);
    let text = format!("witness w {} {}\nquorum w\n", one.key(), other.url());
    let cosigned = ask(&asking(text.parse().unwrap()), &log, 10).await;
    assert!(!cosigned.quorum && cosigned.signatures.is_empty());
    assert!(
        troubles(&cosigned)[0].unwrap().contains("another key"),
        "{:?}",
        cosigned.witnesses
    );
}

#[tokio::test]
async fn a_policy_by_which_there_would_never_be_a_quorum_is_refused() {
    let log = log(1);
    let witness = Running::start(&[&log]).await;
    let config = |text: &str| WitnessesConfig {
        policy: text.parse().unwrap(),
        ca_file: None,
        deadline: Duration::from_secs(1),
    };
    let key = witness.key();
    let refused = |text: String| Witnesses::new(config(&text)).err().unwrap();
    assert!(matches!(
        refused(format!("witness w {key}\nquorum w\n")),
        WitnessesError::NoUrl
    ));
    assert!(matches!(
        refused(format!("witness w {key} ftp://a\nquorum w\n")),
        WitnessesError::Url { .. }
    ));
}

#[tokio::test]
async fn a_witness_is_asked_over_https_and_one_that_is_not_trusted_is_not_asked() {
    let log = log(30);
    let witness = Running::start_tls(&[&log]).await;
    let text = format!("witness w {} {}\nquorum w\n", witness.key(), witness.url());
    let config = |ca_file| WitnessesConfig {
        policy: text.parse().unwrap(),
        ca_file,
        deadline: Duration::from_secs(30),
    };
    let trusting = Witnesses::new(config(Some(witness.certificate()))).unwrap();
    assert!(ask(&trusting, &log, 10).await.quorum);
    let doubting = ask(&Witnesses::new(config(None)).unwrap(), &log, 10).await;
    assert!(
        troubles(&doubting)[0].unwrap().contains("certificate"),
        "{:?}",
        doubting.witnesses
    );
}
