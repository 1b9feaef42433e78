//! A witness over real HTTP, with a real file as its memory.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::StatusCode;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::testing::Log;
use super::{AddCheckpoint, Memory, MemoryError, Witness, WitnessKey, WitnessedLog, serve, tls};
use crate::custody::{Hash, Head, SignedNote, VerifierKey};

const NAME: &str = "witness.example/w1";
const ORIGIN: &str = "node-1/claviger";

/// A witness that answers, on a memory that outlives it.
pub(super) struct Running {
    folder: TempDir,
    url: String,
    address: SocketAddr,
    logs: Vec<WitnessedLog>,
    key: VerifierKey,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
    client: reqwest::Client,
}

impl Running {
    pub(super) async fn start(logs: &[&Log]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        WitnessKey::make(NAME, &folder.path().join("key.pem")).unwrap();
        Memory::make(&folder.path().join("witness.db"))
            .await
            .unwrap()
            .close()
            .await;
        Self::on(folder, logs).await
    }

    /// The same with HTTPS, by a certificate of its own.
    pub(super) async fn start_tls(logs: &[&Log]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("server.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("server.key"), made.signing_key.serialize_pem()).unwrap();
        WitnessKey::make(NAME, &folder.path().join("key.pem")).unwrap();
        Memory::make(&folder.path().join("witness.db"))
            .await
            .unwrap()
            .close()
            .await;
        Self::on(folder, logs).await
    }

    pub(super) fn key(&self) -> &VerifierKey {
        &self.key
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    async fn on(folder: TempDir, logs: &[&Log]) -> Self {
        let logs: Vec<_> = logs.iter().map(|log| log.witnessed()).collect();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, key, stop, task) = answering(folder.path(), any, logs.clone()).await;
        let scheme = if folder.path().join("server.pem").exists() {
            "https"
        } else {
            "http"
        };
        Self {
            folder,
            url: format!("{scheme}://{address}"),
            address,
            logs,
            key,
            stop,
            task,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub(super) async fn stop(mut self) -> TempDir {
        self.pause().await;
        self.folder
    }

    /// Stops answering.
    pub(super) async fn pause(&mut self) {
        self.stop.cancel();
        (&mut self.task).await.unwrap();
    }

    /// Answers again, at the same address.
    pub(super) async fn resume(&mut self) {
        let (_, _, stop, task) = answering(self.folder.path(), self.address, self.logs.clone()).await;
        (self.stop, self.task) = (stop, task);
    }

    fn memory(&self) -> PathBuf {
        self.folder.path().join("witness.db")
    }

    async fn post(&self, body: impl ToString) -> (StatusCode, Option<String>, String) {
        let url = format!("{}/add-checkpoint", self.url);
        let answer = self.client.post(url).body(body.to_string()).send().await.unwrap();
        let kind = answer.headers().get("content-type");
        let kind = kind.map(|kind| kind.to_str().unwrap().to_owned());
        (answer.status(), kind, answer.text().await.unwrap())
    }

    /// The checkpoint with what the witness answered, where it is a cosignature that holds.
    async fn cosign(&self, request: AddCheckpoint) -> SignedNote {
        let (status, _, answer) = self.post(&request).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let note: SignedNote = format!("{}{answer}", request.note).parse().unwrap();
        let signed = note.verified_by([&self.key]).unwrap();
        assert!(signed[0].1.time.is_some_and(|time| time > 1_700_000_000));
        note
    }

    /// The status of a refusal; a conflict also has the size.
    async fn refused(&self, body: impl ToString) -> (u16, String) {
        let (status, kind, answer) = self.post(body).await;
        if status == StatusCode::CONFLICT {
            assert_eq!(kind.as_deref(), Some("text/x.tlog.size"));
        }
        (status.as_u16(), answer)
    }
}

/// A witness that answers at this address, on what lies in the folder.
async fn answering(
    folder: &Path,
    address: SocketAddr,
    logs: Vec<WitnessedLog>,
) -> (SocketAddr, VerifierKey, CancellationToken, AbortOnDropHandle<()>) {
    let key = WitnessKey::load(NAME, &folder.join("key.pem")).unwrap();
    let memory = Memory::open(&folder.join("witness.db")).await.unwrap();
    let public = key.public().clone();
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let certificate = folder.join("server.pem");
    let tls = certificate
        .exists()
        .then(|| tls(&certificate, &folder.join("server.key")).unwrap());
    let stop = CancellationToken::new();
    let witness = Arc::new(Witness::new(key, memory, logs));
    let task = tokio::spawn(serve(vec![listener], tls, witness, stop.clone()));
    (address, public, stop, AbortOnDropHandle::new(task))
}

fn log(size: u64) -> Log {
    let mut log = Log::new(ORIGIN, 1);
    log.grow(size);
    log
}

#[tokio::test]
async fn a_log_that_grows_is_cosigned_from_its_first_checkpoint_on() {
    let log = log(300);
    let witness = Running::start(&[&log]).await;
    let mut old = 0;
    for size in [0, 1, 1, 2, 7, 256, 300, 300] {
        witness.cosign(log.request(old, size)).await;
        old = size;
    }
}

#[tokio::test]
async fn a_log_that_was_cut_short_is_not_cosigned_not_even_by_a_witness_that_was_started_anew() {
    let log = log(20);
    let witness = Running::start(&[&log]).await;
    witness.cosign(log.request(0, 20)).await;
    let witness = Running::on(witness.stop().await, &[&log]).await;
    for request in [
        log.request(0, 10),
        log.request(10, 10),
        log.request(0, 0),
        log.request(10, 20),
    ] {
        assert_eq!(witness.refused(request).await, (409, "20\n".into()));
    }
    witness.cosign(log.request(20, 20)).await;
}

#[tokio::test]
async fn a_log_that_was_rewritten_is_not_cosigned_and_its_two_forms_are_kept_as_proof() {
    let mut log = log(30);
    let witness = Running::start(&[&log]).await;
    let cosigned = witness.cosign(log.request(0, 20)).await;
    log.rewrite(3);
    assert_eq!(witness.refused(log.request(20, 30)).await.0, 422);
    let (status, words) = witness.refused(log.request(20, 20)).await;
    assert_eq!(status, 422);
    assert!(words.contains("two logs have the name"), "{words}");
    witness.refused(log.request(20, 20)).await;
    let memory = Memory::open(&witness.memory()).await.unwrap();
    let [fork] = &memory.forks().await.unwrap()[..] else {
        panic!("one fork is kept")
    };
    let (kept, refused): (SignedNote, SignedNote) =
        (fork.cosigned.parse().unwrap(), fork.refused.parse().unwrap());
    assert_eq!(kept, cosigned);
    for note in [&kept, &refused] {
        note.verified_by([&log.verifier()]).unwrap();
    }
    assert_ne!(kept.text, refused.text);
    assert_eq!(memory.latest(ORIGIN).await.unwrap().unwrap().note, fork.cosigned);
}

#[tokio::test]
async fn a_checkpoint_that_the_log_did_not_sign_is_not_cosigned() {
    let log = log(20);
    let witness = Running::start(&[&log]).await;
    let mut forged = log.request(0, 20);
    forged.note.signatures[0].signature[7] ^= 1;
    assert_eq!(witness.refused(&forged).await.0, 403);
    let mut changed = log.request(0, 20);
    changed.note.text = log.request(0, 19).note.text;
    assert_eq!(witness.refused(&changed).await.0, 403);
    // The same name, another key.
    let mut stranger = Log::new(ORIGIN, 2);
    stranger.grow(20);
    assert_eq!(witness.refused(stranger.request(0, 20)).await.0, 403);
    let mut unknown = Log::new("node-2/claviger", 1);
    unknown.grow(20);
    assert_eq!(witness.refused(unknown.request(0, 20)).await.0, 404);
    // A stranger's signature beside the log's own is no reason to refuse, and is not passed on.
    let mut both = log.request(0, 20);
    both.note.signatures.extend(stranger.checkpoint(20).signatures);
    witness.cosign(both).await;
    let kept = Memory::open(&witness.memory())
        .await
        .unwrap()
        .latest(ORIGIN)
        .await;
    let kept: SignedNote = kept.unwrap().unwrap().note.parse().unwrap();
    assert_eq!(kept.signatures.len(), 2);
}

#[tokio::test]
async fn each_wrong_request_has_the_status_that_the_protocol_says() {
    let log = log(30);
    let witness = Running::start(&[&log]).await;
    assert_eq!(witness.refused("").await.0, 400);
    assert_eq!(witness.refused("old 0\n\nno checkpoint\n").await.0, 400);
    let text = log.request(0, 5).to_string();
    assert_eq!(witness.refused(text.replace("old 0", "old 00")).await.0, 400);
    let no_checkpoint = text.replace(ORIGIN, "\n").replacen("\n\n\n", "\n\n", 1);
    assert_eq!(witness.refused(no_checkpoint).await.0, 400);
    let mut smaller = log.request(0, 5);
    smaller.old = 6;
    assert_eq!(witness.refused(smaller).await.0, 400);
    let mut proved = log.request(0, 5);
    proved.proof = vec![Hash([0; 32])];
    assert_eq!(witness.refused(proved).await.0, 422);
    let empty = AddCheckpoint {
        old: 0,
        proof: Vec::new(),
        note: log.sign(Head {
            size: 0,
            root: Hash([0; 32]),
        }),
    };
    assert_eq!(witness.refused(empty).await.0, 422);
    witness.cosign(log.request(0, 5)).await;
    let mut unproved = log.request(5, 30);
    unproved.proof.pop();
    assert_eq!(witness.refused(unproved).await.0, 422);
    let mut wrong = log.request(5, 30);
    wrong.proof[0] = Hash([0; 32]);
    assert_eq!(witness.refused(wrong).await.0, 422);
    assert_eq!(witness.refused("x".repeat(100_000)).await.0, 413);
    let get = witness
        .client
        .get(format!("{}/add-checkpoint", witness.url))
        .send()
        .await;
    assert_eq!(get.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    witness.cosign(log.request(5, 30)).await;
}

#[tokio::test]
async fn of_two_checkpoints_at_once_the_smaller_never_takes_the_place_of_the_larger() {
    let log = log(200);
    let witness = Running::start(&[&log]).await;
    witness.cosign(log.request(0, 10)).await;
    let requests = (11..60).map(|size| witness.post(log.request(10, size)));
    let answers = futures_util::future::join_all(requests).await;
    let cosigned = answers.iter().filter(|answer| answer.0 == StatusCode::OK).count();
    assert_eq!(cosigned, 1);
    assert!(
        answers
            .iter()
            .all(|answer| [200, 409].contains(&answer.0.as_u16()))
    );
}

#[tokio::test]
async fn a_monitor_reads_the_latest_checkpoint_with_both_signatures() {
    let log = log(20);
    let witness = Running::start(&[&log]).await;
    let url = |origin: &str| {
        use sha2::Digest as _;
        let hash = hex::encode(sha2::Sha256::digest(origin));
        format!("{}/{hash}/checkpoint", witness.url)
    };
    let get = async |url: String| witness.client.get(url).send().await.unwrap();
    assert_eq!(get(url(ORIGIN)).await.status(), StatusCode::NOT_FOUND);
    let cosigned = witness.cosign(log.request(0, 20)).await;
    let read = get(url(ORIGIN)).await.text().await.unwrap();
    assert_eq!(read, cosigned.to_string());
    let note: SignedNote = read.parse().unwrap();
    assert_eq!(
        note.verified_by([&log.verifier(), &witness.key]).unwrap().len(),
        2
    );
    assert_eq!(get(url("another")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nothing_is_cosigned_that_can_not_be_remembered() {
    let log = log(20);
    let witness = Running::start(&[&log]).await;
    witness.cosign(log.request(0, 10)).await;
    // Another process holds the file for writing, longer than the witness waits.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(witness.memory());
    let mut other = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    assert_eq!(witness.refused(log.request(10, 20)).await.0, 500);
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    witness.cosign(log.request(10, 20)).await;
}

#[tokio::test]
async fn a_witness_that_lost_its_memory_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("witness.db");
    assert!(matches!(
        Memory::open(&path).await,
        Err(MemoryError::Missing { .. })
    ));
    std::fs::write(&path, "").unwrap();
    assert!(matches!(
        Memory::open(&path).await,
        Err(MemoryError::Schema { found: 0, .. })
    ));
    assert!(matches!(Memory::make(&path).await, Err(MemoryError::File { .. })));
}
