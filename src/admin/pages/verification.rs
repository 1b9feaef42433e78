//! A proof that is sent in, verified.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::super::permission::bounded;
use super::Pages;
use super::failure::Failure;
use super::frame::{Frame, page};
use super::use_record::{Visitor, not_recorded};
use crate::custody::{EventName, Record, TlogProof, VerifierKey};
use crate::store::{Store, custody_root};

#[derive(Template)]
#[template(path = "pages/verify.html")]
struct VerifyPage {
    frame: Frame,
    log_key: Option<String>,
    verdict: Option<Verdict>,
}

/// What came of it.
#[derive(Default)]
struct Verdict {
    holds: bool,
    /// Each step that was taken, with what it found; the last one decides.
    steps: Vec<Step>,
    said: Option<String>,
    sequence: Option<u64>,
    is_of_this_log: bool,
}

struct Step {
    is_good: bool,
    said: String,
}

/// What was sent in.
#[derive(Default)]
struct Sent {
    proof: String,
    record: Vec<u8>,
    key: String,
}

/// `GET /verify`
pub(super) async fn form(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    page(&shown(&pages, &visitor, None))
}

/// `POST /verify`
pub(super) async fn verify(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    upload: Result<Multipart, MultipartRejection>,
) -> Response {
    let sent = match upload {
        Ok(upload) => sent(upload).await,
        Err(rejection) => Err(Failure::bad_request(rejection.body_text())),
    };
    let verdict = match sent {
        Ok(sent) => judged(&pages, sent).await,
        Err(failure) => Err(failure),
    };
    let result = match &verdict {
        Ok(Verdict { holds: true, .. }) => "it holds".to_owned(),
        Ok(verdict) => verdict
            .steps
            .iter()
            .find(|step| !step.is_good)
            .map_or_else(String::new, |step| format!("it does not hold: {}", step.said)),
        Err(_) => "it could not be read".to_owned(),
    };
    let mut event = visitor
        .event(EventName::AuditorVerify)
        .detail("result", bounded(&result));
    if let Ok(Verdict {
        sequence: Some(sequence),
        ..
    }) = &verdict
    {
        event = event.detail("record", sequence.to_string());
    }
    if let Err(refusal) = pages.administration.commit(Vec::new(), event).await {
        return not_recorded(refusal.message()).answer(&visitor);
    }
    match verdict {
        Ok(verdict) => {
            let status = if verdict.holds {
                StatusCode::OK
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            (status, page(&shown(&pages, &visitor, Some(verdict)))).into_response()
        }
        Err(failure) => failure.answer(&visitor),
    }
}

fn shown(pages: &Pages, visitor: &Visitor, verdict: Option<Verdict>) -> VerifyPage {
    let title = match &verdict {
        None => "Verify a proof",
        Some(Verdict { holds: true, .. }) => "The proof holds",
        Some(_) => "The proof does not hold",
    };
    let key = pages.administration.recorder().checkpoints().borrow().key.clone();
    VerifyPage {
        frame: Frame::new(title, "verify", visitor),
        log_key: key.map(|key| key.to_string()),
        verdict,
    }
}

async fn sent(mut upload: Multipart) -> Result<Sent, Failure> {
    let mut sent = Sent::default();
    let unreadable =
        |error: axum::extract::multipart::MultipartError| Failure::new(error.status(), error.body_text());
    while let Some(field) = upload.next_field().await.map_err(unreadable)? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(unreadable)?;
        let text = || String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        match name.as_str() {
            "proof" => sent.proof = text(),
            "record" => sent.record = bytes.to_vec(),
            "key" => text().trim().clone_into(&mut sent.key),
            other => return Err(Failure::bad_request(format!("The form has no field “{other}”."))),
        }
    }
    if sent.proof.trim().is_empty() {
        return Err(Failure::bad_request("No proof came.")
            .remedy("Choose the file that ends with .tlog-proof, as it was taken along from here."));
    }
    Ok(sent)
}

async fn judged(pages: &Pages, sent: Sent) -> Result<Verdict, Failure> {
    let mut verdict = Verdict::default();
    let own_key = pages.administration.recorder().checkpoints().borrow().key.clone();
    let key = if sent.key.is_empty() {
        own_key.ok_or_else(|| {
            Failure::new(
                StatusCode::CONFLICT,
                "This log has no key that signs, and no other was given.",
            )
            .remedy("Give the key that you trust: NAME+HASH+KEY.")
        })?
    } else {
        match sent.key.parse::<VerifierKey>() {
            Ok(key) => key,
            Err(error) => return Ok(verdict.fails(format!("The key: {error}."))),
        }
    };
    let proof: TlogProof = match sent.proof.parse() {
        Ok(proof) => proof,
        Err(error) => return Ok(verdict.fails(format!("The file: {error}."))),
    };
    verdict.sequence = Some(proof.index);
    verdict.finds(format!("It says that it is the proof of record {}.", proof.index));
    let store = pages.administration.store();
    let bytes = if sent.record.is_empty() {
        let index = i64::try_from(proof.index)
            .ok()
            .and_then(|index| u64::try_from(index).ok());
        let stored = match index {
            Some(index) => store.custody_records(index, 1).await?.into_iter().next(),
            None => None,
        };
        let Some(stored) = stored.filter(|stored| stored.sequence == proof.index) else {
            let kept = store.custody_kept().await?;
            return Ok(verdict.fails(if proof.index < kept.from {
                format!(
                    "Record {} was pruned, and none was sent in: send its exact bytes in, from a bundle that has it.",
                    proof.index
                )
            } else {
                format!("This log has no record {}, and none was sent in.", proof.index)
            }));
        };
        verdict.finds("No record was sent in: the one of this number in this log is taken.".into());
        stored.bytes
    } else {
        sent.record
    };
    let (checkpoint, signers) = match proof.verify(&bytes, [&key]) {
        Ok(verified) => verified,
        Err(error) => return Ok(verdict.fails(format!("It was refused: {error}."))),
    };
    let by: Vec<_> = signers
        .iter()
        .map(|key| format!("{} ({})", key.name(), key.signature_type().name()))
        .collect();
    verdict.finds(format!(
        "Its checkpoint over {} records of {} is signed by {}.",
        checkpoint.head.size,
        checkpoint.origin,
        by.join(" and ")
    ));
    let others: Vec<_> = proof
        .note
        .signatures
        .iter()
        .filter(|signature| !key.is_named_by(signature))
        .collect();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|signature| signature.name.as_str()).collect();
        verdict.finds(format!(
            "It bears further signatures, by {}, which were not verified here.",
            names.join(", ")
        ));
    }
    verdict.finds("From the exact bytes of the record the path leads to the root of that checkpoint.".into());
    verdict.said = Record::from_bytes(&bytes).ok().map(|record| record.deed());
    verdict.compare_with_this_log(store, &checkpoint).await?;
    verdict.holds = verdict.steps.iter().all(|step| step.is_good);
    Ok(verdict)
}

impl Verdict {
    fn finds(&mut self, said: String) {
        self.steps.push(Step { is_good: true, said });
    }

    fn fails(mut self, said: String) -> Self {
        self.steps.push(Step { is_good: false, said });
        self
    }

    /// Whether this log begins with the one that the checkpoint is of: a log that was forked does not.
    async fn compare_with_this_log(
        &mut self,
        store: &dyn Store,
        checkpoint: &crate::custody::Checkpoint,
    ) -> Result<(), Failure> {
        let head = checkpoint.head;
        let size = store.custody_head().await?.tree.size();
        if head.size > size {
            self.steps.push(Step {
                is_good: false,
                said: format!(
                    "This log has {size} records, fewer than the checkpoint: it is another log, or records were taken away."
                ),
            });
            return Ok(());
        }
        let root = custody_root(store, head.size).await?;
        self.is_of_this_log = root == head.root;
        self.steps.push(Step {
            is_good: self.is_of_this_log,
            said: if self.is_of_this_log {
                "This log, as it is now, begins with the log of that checkpoint.".into()
            } else {
                "This log does not begin with the log of that checkpoint: it is another log, or it was rewritten.".into()
            },
        });
        Ok(())
    }
}
