//! One witness, asked for one cosignature: `add-checkpoint` of C2SP tlog-witness.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Response, StatusCode, Url};

use crate::custody::{Checkpoint, NoteSignature, PolicyWitness, SignedNote};
use crate::recorder::Consistency;
use crate::witness::AddCheckpoint;

/// How often a witness may answer that it cosigned another size. More than once only where others submit the log too.
const TRIES: usize = 4;
/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// How much of a refusal's words is passed on, in letters.
const WORDS: usize = 200;

/// A witness, and what it cosigned last.
pub(super) struct Asked {
    witness: PolicyWitness,
    url: Url,
    /// The size that it cosigned last, by its word; 0 where it did not say.
    last: AtomicU64,
}

impl Asked {
    pub(super) const fn new(witness: PolicyWitness, url: Url) -> Self {
        Self {
            witness,
            url,
            last: AtomicU64::new(0),
        }
    }

    pub(super) const fn witness(&self) -> &PolicyWitness {
        &self.witness
    }

    /// The size that it cosigned last, by its word.
    pub(super) fn cosigned(&self) -> Option<u64> {
        Some(self.last.load(Ordering::Relaxed)).filter(|size| *size > 0)
    }

    /// Its cosignature, which was verified; or why there is none.
    pub(super) async fn cosign(
        &self,
        http: &reqwest::Client,
        checkpoint: &Checkpoint,
        note: &SignedNote,
        log: &dyn Consistency,
    ) -> Result<NoteSignature, String> {
        let size = checkpoint.head.size;
        for _ in 0..TRIES {
            let old = self.last.load(Ordering::Relaxed);
            if old > size {
                return Err(format!(
                    "it has cosigned this log with {old} records, and there are {size} now: records were taken away, or the \
                     database was put back"
                ));
            }
            let proof = if old == 0 {
                Vec::new()
            } else {
                let made = log.proof(old, size).await;
                made.map_err(|error| format!("the proof for it can't be made: {error}"))?
            };
            let request = AddCheckpoint {
                old,
                proof,
                note: note.clone(),
            };
            let sent = http.post(self.url.clone()).body(request.to_string()).send().await;
            let answer = sent.map_err(|error| format!("it can't be reached: {}", chain(&error)))?;
            match answer.status() {
                StatusCode::OK => {
                    let signature = self.verified(note, &text(answer).await?)?;
                    self.last.store(size, Ordering::Relaxed);
                    return Ok(signature);
                }
                StatusCode::CONFLICT => {
                    let words = text(answer).await?;
                    let latest = words.strip_suffix('\n').unwrap_or(&words).parse();
                    let latest = latest.map_err(|_| {
                        format!(
                            "it refuses, and does not say the size that it cosigned last: {}",
                            short(&words)
                        )
                    })?;
                    if latest == old {
                        return Err(format!(
                            "it contradicts itself about the {old} records that it cosigned last"
                        ));
                    }
                    self.last.store(latest, Ordering::Relaxed);
                }
                status => {
                    // What it knows is asked for anew.
                    self.last.store(0, Ordering::Relaxed);
                    let words = text(answer).await.unwrap_or_default();
                    return Err(format!("it answers {status}: {}", short(&words)));
                }
            }
        }
        Err("it cosigns checkpoints of this log that others bring: is another server writing the log?".into())
    }

    /// Its cosignature among the lines of an answer. What others signed is not looked at.
    fn verified(&self, note: &SignedNote, lines: &str) -> Result<NoteSignature, String> {
        let key = &self.witness.key;
        for line in lines.lines() {
            let Ok(signature) = line.parse::<NoteSignature>() else {
                return Err(format!("its answer is no cosignature: {}", short(line)));
            };
            if !key.is_named_by(&signature) {
                continue;
            }
            let signed = key.verify(&note.text, &signature.signature);
            return match signed.and_then(|signed| signed.time) {
                Some(1..) => Ok(signature),
                Some(0) => Err("its cosignature does not say when it was made".into()),
                None => Err("its cosignature does not hold: has it another key by that name?".into()),
            };
        }
        Err(format!(
            "it signs with another key than the policy's {}",
            key.name()
        ))
    }
}

async fn text(mut answer: Response) -> Result<String, String> {
    let failed = |error: reqwest::Error| format!("its answer broke off: {}", chain(&error));
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err("its answer is too long".into());
        }
    }
    String::from_utf8(body).map_err(|_| "its answer is not UTF-8".into())
}

/// What another host says, short and on one line.
fn short(words: &str) -> String {
    let printed = words.trim().chars().take(WORDS);
    printed
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}
