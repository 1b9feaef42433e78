//! Wrap, unwrap and rewrap.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::Reply;
use crate::calls::body::{Action, base64};
use crate::calls::request::Request;
use crate::ciphertext;
use crate::model::{Key, State};
use crate::options::Aad;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::vault::{Kept, LONGEST_PLAINTEXT};

/// The longest string of `aad`, in characters.
const LONGEST_AAD: usize = 255;

pub(super) async fn wrap(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let key = service.store.read(|state| request.key(state))?;
    must_be_root(&key)?;
    match key.state(request.now) {
        State::Active => {}
        State::Deactivated => return Err(Refusal::expired()),
        state => return Err(not_in(state)),
    }
    let body: Action = request.optional_body()?;
    let aad = aad(service, &body)?;
    let version = key.latest().id;
    let Some(plaintext) = &body.plaintext else {
        let kept = service.vault.make(version).await?;
        let made = service.vault.unwrap(version, &kept).await?;
        let mut reply = wrapped(service, &key, version, &aad, &kept);
        reply["plaintext"] = STANDARD.encode(made.as_slice()).into();
        return Ok(Reply::ok(reply));
    };
    let plaintext = base64("plaintext", plaintext)?;
    if plaintext.is_empty() || plaintext.len() > LONGEST_PLAINTEXT {
        let expected = format!("1 to {LONGEST_PLAINTEXT} bytes are expected");
        return Err(Refusal::invalid_field("plaintext", expected));
    }
    let kept = service.vault.wrap(version, &plaintext).await?;
    Ok(Reply::ok(wrapped(service, &key, version, &aad, &kept)))
}

pub(super) async fn unwrap(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let (key, aad, from, kept) = open(service, request)?;
    let plaintext = service.vault.unwrap(from, &kept).await?;
    let latest = key.latest().id;
    let mut reply = json!({
        "plaintext": STANDARD.encode(plaintext.as_slice()),
        "keyVersion": {"id": from},
    });
    if from != latest {
        let kept = service.vault.rewrap(from, latest, &kept).await?;
        reply["ciphertext"] = written(service, &key, latest, &aad, &kept).into();
        reply["rewrappedKeyVersion"] = json!({"id": latest});
    }
    Ok(Reply::ok(reply))
}

pub(super) async fn rewrap(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let (key, aad, from, kept) = open(service, request)?;
    let latest = key.latest().id;
    let kept = service.vault.rewrap(from, latest, &kept).await?;
    Ok(Reply::ok(json!({
        "ciphertext": written(service, &key, latest, &aad, &kept),
        "keyVersion": {"id": from},
        "rewrappedKeyVersion": {"id": latest},
    })))
}

/// The key and what lies in the ciphertext, for a key that may still open what it wrapped.
fn open(
    service: &Service,
    request: &Request,
) -> Result<(std::sync::Arc<Key>, Vec<String>, Uuid, Kept), Refusal> {
    let key = service.store.read(|state| request.key(state))?;
    must_be_root(&key)?;
    match key.state(request.now) {
        State::Active | State::Deactivated => {}
        state => return Err(not_in(state)),
    }
    let body: Action = request.body()?;
    let aad = aad(service, &body)?;
    let ciphertext = body.ciphertext.as_deref();
    let ciphertext = ciphertext.ok_or_else(|| Refusal::invalid_field("ciphertext", "it is missing"))?;
    let (version, kept) = ciphertext::read(service.vault.seal(), key.id, &aad, ciphertext)?;
    if key.versions.iter().all(|known| known.id != version) {
        return Err(Refusal::ciphertext());
    }
    Ok((key, aad, version, kept))
}

fn wrapped(service: &Service, key: &Key, version: Uuid, aad: &[String], kept: &Kept) -> Value {
    json!({
        "ciphertext": written(service, key, version, aad, kept),
        "keyVersion": {"id": version},
    })
}

fn written(service: &Service, key: &Key, version: Uuid, aad: &[String], kept: &Kept) -> String {
    ciphertext::write(service.vault.seal(), key.id, version, aad, kept)
}

/// What the ciphertext is bound to.
fn aad(service: &Service, body: &Action) -> Result<Vec<String>, Refusal> {
    let aad = body.aad.clone().unwrap_or_default();
    if aad.iter().any(|part| part.chars().count() > LONGEST_AAD) {
        let expected = format!("strings of at most {LONGEST_AAD} characters are expected");
        return Err(Refusal::invalid_field("aad", expected));
    }
    match service.aad {
        Aad::Bound => Ok(aad),
        Aad::Ignored => Ok(Vec::new()),
        Aad::Refused if body.aad.is_none() => Ok(Vec::new()),
        Aad::Refused => Err(Refusal::bad_body("json: unknown field \"aad\"")),
    }
}

/// Refuses a standard key.
pub(super) fn must_be_root(key: &Key) -> Result<(), Refusal> {
    if key.extractable() {
        return Err(Refusal::root_key_required());
    }
    Ok(())
}

/// Why nothing is done with a key in this state.
pub(super) fn not_in(state: State) -> Refusal {
    match state {
        State::Destroyed => Refusal::deleted(),
        _ => Refusal::invalid_state(),
    }
}
