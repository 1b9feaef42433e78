//! What is done with a root key: wrap, unwrap, rewrap; and its life: rotate, disable, enable, deletion by two.

use bytes::Bytes;
use claviger_hsm::memory::LockedBuffer;
use uuid::Uuid;

use super::Error;
use super::client::{Request, Service};
use super::refusal::{Kind, Refusal};
use super::secret_body::{body, decode, push_base64, push_text};
use super::wire::{ActionAnswer, KEY_ACTION, KeyState};

/// What was wrapped.
pub(super) struct Wrapped {
    /// Base64, and opaque.
    pub(super) ciphertext: String,
    /// The version of the root key that wrapped it.
    pub(super) version: Uuid,
}

/// What was made by the key manager, and wrapped.
pub(super) struct Made {
    pub(super) wrapped: Wrapped,
    pub(super) plaintext: LockedBuffer,
}

/// What was unwrapped.
pub(super) struct Unwrapped {
    pub(super) plaintext: LockedBuffer,
    /// The same under the present version, where an earlier one had wrapped it.
    pub(super) rewrapped: Option<Wrapped>,
}

impl Service<'_> {
    /// Has the key manager make 32 random bytes in its HSM and wrap them under the root key.
    pub(super) async fn make(&self, key: Uuid, aad: &[String]) -> Result<Made, Error> {
        let request = action("wrap", buffer(&[], aad));
        self.act(key, request, |answer| {
            let ActionAnswer {
                plaintext,
                ciphertext,
                key_version,
                ..
            } = serde_json::from_slice(answer).ok()?;
            Some(Made {
                plaintext: decode(plaintext?)?,
                wrapped: wrapped(ciphertext, key_version?.id)?,
            })
        })
        .await
    }

    /// Wraps a plaintext, which has one byte at least: without one the key manager makes one.
    pub(super) async fn wrap(&self, key: Uuid, plaintext: &[u8], aad: &[String]) -> Result<Wrapped, Error> {
        if plaintext.is_empty() {
            return Err(Error::KeyLength { bytes: 0 });
        }
        let request = action("wrap", buffer(&[Field::Secret("plaintext", plaintext)], aad));
        self.act(key, request, |answer| {
            let answer: ActionAnswer<'_> = serde_json::from_slice(answer).ok()?;
            wrapped(answer.ciphertext, answer.key_version?.id)
        })
        .await
    }

    /// Unwraps a ciphertext of any version of the root key.
    pub(super) async fn unwrap(
        &self,
        key: Uuid,
        ciphertext: &str,
        aad: &[String],
    ) -> Result<Unwrapped, Error> {
        let request = action("unwrap", buffer(&[Field::Text("ciphertext", ciphertext)], aad));
        self.act(key, request, |answer| {
            let answer: ActionAnswer<'_> = serde_json::from_slice(answer).ok()?;
            let plaintext = decode(answer.plaintext?)?;
            let rewrapped = match (answer.ciphertext, answer.rewrapped_key_version) {
                (Some(ciphertext), Some(version)) => wrapped(Some(ciphertext), version.id),
                _ => None,
            };
            Some(Unwrapped { plaintext, rewrapped })
        })
        .await
    }

    /// Wraps a ciphertext anew under the present version of the root key.
    pub(super) async fn rewrap(&self, key: Uuid, ciphertext: &str, aad: &[String]) -> Result<Wrapped, Error> {
        let request = action("rewrap", buffer(&[Field::Text("ciphertext", ciphertext)], aad));
        self.act(key, request, |answer| {
            let answer: ActionAnswer<'_> = serde_json::from_slice(answer).ok()?;
            let version = answer.rewrapped_key_version.or(answer.key_version)?;
            wrapped(answer.ciphertext, version.id)
        })
        .await
    }

    /// Gives the root key a new version. Not repeated where the answer is lost: see which version it has.
    pub(super) async fn rotate(&self, key: Uuid) -> Result<(), Error> {
        self.change(key, "rotate", false).await
    }

    /// Disables the root key. Fails where it is disabled.
    pub(super) async fn disable(&self, key: Uuid) -> Result<(), Error> {
        self.change(key, "disable", true).await
    }

    /// Enables a root key that was disabled. Fails where it was not.
    pub(super) async fn enable(&self, key: Uuid) -> Result<(), Error> {
        self.change(key, "enable", true).await
    }

    /// The first of the two that must agree to the key's deletion.
    pub(super) async fn set_for_deletion(&self, key: Uuid) -> Result<(), Error> {
        self.change(key, "setKeyForDeletion", true).await
    }

    /// Takes that back.
    pub(super) async fn unset_for_deletion(&self, key: Uuid) -> Result<(), Error> {
        self.change(key, "unsetKeyForDeletion", true).await
    }

    async fn change(&self, key: Uuid, name: &'static str, is_repeatable: bool) -> Result<(), Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str(), "actions", name];
        let request = Request {
            is_repeatable,
            ..Request::post(name, &path)
        };
        self.call(request, |_| Some(())).await
    }

    async fn act<T>(
        &self,
        key: Uuid,
        (name, body): (&'static str, Bytes),
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str(), "actions", name];
        let request = Request {
            body: Some((KEY_ACTION, body)),
            is_secret: true,
            ..Request::post(name, &path)
        };
        match self.call(request, read).await {
            Err(Error::Refused(refusal)) if refusal.kind == Kind::InvalidState => {
                Err(Error::Refused(self.explained(key, refusal).await))
            }
            answer => answer,
        }
    }

    /// The refusal with what the state of the key has to do with it.
    async fn explained(&self, key: Uuid, refusal: Refusal) -> Refusal {
        let kind = match self.key(&key.to_string()).await {
            Ok(key) if key.is_deleted() => Kind::KeyDeleted,
            Ok(key) => match key.state {
                KeyState::Suspended => Kind::KeyDisabled,
                KeyState::Deactivated => Kind::Expired,
                _ => refusal.kind,
            },
            Err(error) => match error.kind() {
                Some(kind @ (Kind::KeyDeleted | Kind::KeyNotFound)) => kind,
                _ => refusal.kind,
            },
        };
        Refusal { kind, ..refusal }
    }
}

fn wrapped(ciphertext: Option<String>, version: Uuid) -> Option<Wrapped> {
    let ciphertext = ciphertext.filter(|ciphertext| !ciphertext.is_empty())?;
    Some(Wrapped { ciphertext, version })
}

enum Field<'a> {
    Secret(&'a str, &'a [u8]),
    Text(&'a str, &'a str),
}

fn action(name: &'static str, buffer: LockedBuffer) -> (&'static str, Bytes) {
    (name, body(buffer))
}

/// The body of an action.
fn buffer(fields: &[Field<'_>], aad: &[String]) -> LockedBuffer {
    let room = fields.iter().map(|field| match field {
        Field::Secret(name, bytes) => name.len() + bytes.len().div_ceil(3) * 4,
        Field::Text(name, text) => name.len() + text.len(),
    });
    let aad_room: usize = aad.iter().map(|text| text.len() + 4).sum();
    let mut buffer = LockedBuffer::with_capacity(room.sum::<usize>() + aad_room + 32);
    buffer.extend_from_slice(b"{");
    let mut separator = "";
    for field in fields {
        buffer.extend_from_slice(separator.as_bytes());
        match field {
            Field::Secret(name, bytes) => push_base64(&mut buffer, name, bytes),
            Field::Text(name, text) => {
                push_text(&mut buffer, name);
                buffer.extend_from_slice(b":");
                push_text(&mut buffer, text);
            }
        }
        separator = ",";
    }
    if !aad.is_empty() {
        buffer.extend_from_slice(separator.as_bytes());
        buffer.extend_from_slice(b"\"aad\":[");
        for (place, text) in aad.iter().enumerate() {
            if place > 0 {
                buffer.extend_from_slice(b",");
            }
            push_text(&mut buffer, text);
        }
        buffer.extend_from_slice(b"]");
    }
    buffer.extend_from_slice(b"}");
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_an_action_is_what_the_service_reads() {
        let aad = ["adapter=1".to_owned(), "a\"b".to_owned()];
        let both = buffer(&[Field::Secret("plaintext", &[0xfb, 0xff])], &aad);
        assert_eq!(
            both.as_slice(),
            br#"{"plaintext":"+/8=","aad":["adapter=1","a\"b"]}"#
        );
        assert_eq!(buffer(&[], &[]).as_slice(), b"{}");
        assert_eq!(buffer(&[], &aad[..1]).as_slice(), br#"{"aad":["adapter=1"]}"#);
        let text = buffer(&[Field::Text("ciphertext", "eyJ=")], &[]);
        assert_eq!(text.as_slice(), br#"{"ciphertext":"eyJ="}"#);
    }
}
