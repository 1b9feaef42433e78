//! The ciphertext that a client gets: base64 of a JSON object, as the service's is, and as little of its business.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::seal::Seal;
use crate::vault::Kept;

/// The form of the object.
const FORM: &str = "4.0.0";

#[derive(Serialize, Deserialize)]
struct Document {
    ciphertext: String,
    version: String,
    /// The key's version.
    handle: Uuid,
}

/// What `kept` becomes: bound to the key, its version and `aad`.
pub(crate) fn write(seal: &Seal, key: Uuid, version: Uuid, aad: &[String], kept: &Kept) -> String {
    let sealed = seal.seal(&context(key, version, aad), &kept.to_bytes());
    let document = Document {
        ciphertext: STANDARD.encode(sealed),
        version: FORM.to_owned(),
        handle: version,
    };
    STANDARD.encode(serde_json::to_vec(&document).expect("text and an identifier can be written as JSON"))
}

/// The key's version and what was wrapped under it; refused where anything is not as it was written.
pub(crate) fn read(
    seal: &Seal,
    key: Uuid,
    aad: &[String],
    ciphertext: &str,
) -> Result<(Uuid, Kept), Refusal> {
    let read = || {
        let text = STANDARD.decode(ciphertext).ok()?;
        let document: Document = serde_json::from_slice(&text).ok()?;
        // JSON has more than one way to write the same.
        if serde_json::to_vec(&document).ok()? != text {
            return None;
        }
        let sealed = STANDARD.decode(&document.ciphertext).ok()?;
        let kept = seal.open(&context(key, document.handle, aad), &sealed)?;
        (document.version == FORM).then_some((document.handle, Kept::from_bytes(&kept)?))
    };
    read().ok_or_else(Refusal::ciphertext)
}

/// Each part with its length before it, so that no two sets of parts are the same bytes.
fn context(key: Uuid, version: Uuid, aad: &[String]) -> Vec<u8> {
    let mut context = Vec::from(*key.as_bytes());
    context.extend_from_slice(version.as_bytes());
    for part in aad {
        context.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.extend_from_slice(part.as_bytes());
    }
    context
}
