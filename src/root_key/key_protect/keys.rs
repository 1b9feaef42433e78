//! Keys as things of the key manager: made, told of, listed, deleted, restored; versions, registrations, policies.

use claviger_hsm::memory::LockedBuffer;
use reqwest::Method;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::Error;
use super::client::{Request, Service};
use super::secret_body::{body, decode, push_base64, push_text};
use super::wire::{Collection, Creation, KEY, Key, KeyVersion, NewKey, Payload, Policy, Registration};

/// How many keys are asked for at once.
const PAGE: usize = 200;

impl Service<'_> {
    /// Has the key manager make a root key of this name and alias. Not repeated where the answer is lost.
    pub(super) async fn create_root_key(
        &self,
        name: &str,
        alias: &str,
        description: &str,
    ) -> Result<Key, Error> {
        let aliases = [alias];
        let creation = Creation::of(NewKey {
            kind: KEY,
            name,
            aliases: &aliases,
            description,
            extractable: false,
        });
        let body = serde_json::to_vec(&creation).expect("texts become JSON");
        let request = Request {
            body: Some((KEY, body.into())),
            is_repeatable: false,
            ..Request::post("the creation of a root key", &["keys"])
        };
        self.call(request, one).await
    }

    /// Keeps bytes, one at least, as a standard key. Not repeated where the answer is lost.
    pub(super) async fn create_standard_key(
        &self,
        name: &str,
        alias: Option<&str>,
        description: &str,
        payload: &[u8],
    ) -> Result<Key, Error> {
        let mut text = LockedBuffer::with_capacity(512 + payload.len().div_ceil(3) * 4);
        text.extend_from_slice(b"{\"metadata\":{\"collectionType\":\"");
        text.extend_from_slice(KEY.as_bytes());
        text.extend_from_slice(b"\",\"collectionTotal\":1},\"resources\":[{\"type\":\"");
        text.extend_from_slice(KEY.as_bytes());
        text.extend_from_slice(b"\",\"name\":");
        push_text(&mut text, name);
        if let Some(alias) = alias {
            text.extend_from_slice(b",\"aliases\":[");
            push_text(&mut text, alias);
            text.extend_from_slice(b"]");
        }
        if !description.is_empty() {
            text.extend_from_slice(b",\"description\":");
            push_text(&mut text, description);
        }
        text.extend_from_slice(b",\"extractable\":true,");
        push_base64(&mut text, "payload", payload);
        text.extend_from_slice(b"}]}");
        let request = Request {
            body: Some((KEY, body(text))),
            is_secret: true,
            is_repeatable: false,
            ..Request::post("the creation of a standard key", &["keys"])
        };
        self.call(request, one).await
    }

    /// What the key manager tells of a key, by its identifier or alias.
    pub(super) async fn key(&self, id_or_alias: &str) -> Result<Key, Error> {
        let path = ["keys", id_or_alias, "metadata"];
        self.call(Request::get("a key's metadata", &path), one).await
    }

    /// The same of a key by its identifier, in whichever key ring it is.
    pub(super) async fn key_in_any_ring(&self, key: Uuid) -> Result<Key, Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str(), "metadata"];
        let request = Request {
            in_any_key_ring: true,
            ..Request::get("a key's metadata", &path)
        };
        self.call(request, one).await
    }

    /// The payload of a standard key.
    pub(super) async fn payload(&self, key: Uuid) -> Result<LockedBuffer, Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str()];
        let request = Request {
            is_secret: true,
            ..Request::get("a key", &path)
        };
        self.call(request, |answer| {
            let keys: Collection<Payload<'_>> = payloads(answer)?;
            decode(keys.resources.first()?.payload?)
        })
        .await
    }

    /// A page of keys in the order of their identifiers: those that `search` finds (all, where it is empty) in one of these
    /// states.
    pub(super) async fn keys_from(
        &self,
        offset: usize,
        limit: usize,
        extractable: Option<bool>,
        search: &str,
        states: &str,
    ) -> Result<Vec<Key>, Error> {
        let mut query = vec![
            ("limit", limit.to_string()),
            ("offset", offset.to_string()),
            ("state", states.to_owned()),
        ];
        if let Some(extractable) = extractable {
            query.push(("extractable", extractable.to_string()));
        }
        if !search.is_empty() {
            query.push(("search", search.to_owned()));
        }
        let request = Request {
            query,
            ..Request::get("the list of keys", &["keys"])
        };
        self.call(request, many).await
    }

    /// Whether the key has that version.
    pub(super) async fn has_version(&self, key: Uuid, version: Uuid) -> Result<bool, Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str(), "versions"];
        let mut offset = 0;
        loop {
            let request = Request {
                query: vec![
                    ("limit", PAGE.to_string()),
                    ("offset", offset.to_string()),
                    ("allKeyStates", "true".to_owned()),
                ],
                ..Request::get("a key's versions", &path)
            };
            let page: Vec<KeyVersion> = self.call(request, many).await?;
            if page.iter().any(|known| known.id == version) {
                return Ok(true);
            }
            if page.len() < PAGE {
                return Ok(false);
            }
            offset += page.len();
        }
    }

    /// Deletes a key. One that protects resources of the cloud is not deleted.
    pub(super) async fn delete(&self, key: Uuid) -> Result<(), Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str()];
        self.call(Request::delete("the deletion of a key", &path), |_| Some(()))
            .await
    }

    /// Restores a deleted key, which the service allows for thirty days.
    pub(super) async fn restore(&self, key: Uuid) -> Result<(), Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str(), "restore"];
        self.call(Request::post("the restoration of a key", &path), |_| Some(()))
            .await
    }

    /// Whether two identities must agree to the key's deletion.
    pub(super) async fn has_dual_authorization(&self, key: Uuid) -> Result<bool, Error> {
        let policies = self.policies(key, "dualAuthDelete").await?;
        let mut states = policies
            .iter()
            .filter_map(|policy| policy.dual_auth_delete.as_ref());
        Ok(states.any(|state| state.enabled))
    }

    /// How often the service rotates the key by itself, in months; none where it does not.
    pub(super) async fn rotation_interval(&self, key: Uuid) -> Result<Option<u32>, Error> {
        let policies = self.policies(key, "rotation").await?;
        let mut rotations = policies.iter().filter_map(|policy| policy.rotation.as_ref());
        Ok(rotations
            .find(|rotation| rotation.enabled)
            .map(|rotation| rotation.interval_month))
    }

    async fn policies(&self, key: Uuid, policy: &str) -> Result<Vec<Policy>, Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str(), "policies"];
        let request = Request {
            query: vec![("policy", policy.to_owned())],
            ..Request::get("a key's policies", &path)
        };
        self.call(request, many).await
    }

    /// What the key protects in the cloud.
    pub(super) async fn registrations(&self, key: Uuid) -> Result<Vec<Registration>, Error> {
        let id = key.to_string();
        let path = ["keys", id.as_str(), "registrations"];
        self.call(Request::get("a key's registrations", &path), many)
            .await
    }
}

impl<'a> Request<'a> {
    /// A deletion; of what is deleted already another answer comes, which says so.
    fn delete(name: &'static str, path: &'a [&'a str]) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::get(name, path)
        }
    }
}

fn many<T: DeserializeOwned>(answer: &[u8]) -> Option<Vec<T>> {
    let collection: Collection<T> = serde_json::from_slice(answer).ok()?;
    Some(collection.resources)
}

fn one<T: DeserializeOwned>(answer: &[u8]) -> Option<T> {
    many(answer)?.into_iter().next()
}

fn payloads(answer: &[u8]) -> Option<Collection<Payload<'_>>> {
    serde_json::from_slice(answer).ok()
}
