//! What the service ID can do, tried one by one, for `claviger doctor`: which IAM role it lacks is said where the key manager
//! refuses.

use openssl::rand::rand_bytes;
use uuid::Uuid;

use super::backend::{Inner, KeyProtectBackend};
use super::client::Service;
use super::refusal::Kind;
use super::{Error, KeptIn};
use crate::key::WrapProfile;

/// What was tried, in order. What depends on something that failed is not tried.
pub type Examination = Vec<Step>;

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub what: &'static str,
    /// The least role of IAM that it takes; none where it takes none.
    pub role: Option<&'static str>,
    /// What came of it: something worth telling, or why it can't be done.
    pub outcome: Result<String, Error>,
}

impl Step {
    /// The role that the service ID lacks, where that is what is wrong.
    pub fn lacking_role(&self) -> Option<&'static str> {
        let error = self.outcome.as_ref().err()?;
        let is_about_rights = matches!(error.kind(), Some(Kind::Forbidden | Kind::Unauthorized));
        self.role.filter(|_| is_about_rights)
    }
}

/// On which root key wrapping is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial<'a> {
    /// On none: only what changes nothing and uses no key.
    None,
    /// On one that is there, by its identifier or alias. Nothing of it is changed.
    On(&'a str),
    /// On one that is made for it and deleted at the end, so that making and deleting are tried too. The key manager shows it
    /// as a deleted key for some time.
    ThrownAway,
}

/// The roles on the instance (IBM Cloud IAM, service `kms` or `hs-crypto`).
const READER: &str = "platform role Viewer and service role Reader";
const READER_PLUS: &str = "service role ReaderPlus";
const WRITER: &str = "service role Writer";
const MANAGER: &str = "service role Manager";

impl KeyProtectBackend {
    /// Tries what Claviger does.
    pub async fn examine(&self, trial: Trial<'_>) -> Examination {
        let mut steps = Vec::new();
        let service = match self.inner.client.begin().await {
            Ok(service) => service,
            Err(error) => {
                steps.push(step("a place among the requests", None, Err(error)));
                return steps;
            }
        };
        let token = service.token().await;
        let token = push(&mut steps, "a token of IAM for the API key", None, token, nothing);
        if token.is_none() {
            return steps;
        }
        let listed = service.keys_from(0, 1, None, "", "1").await;
        let product = self.inner.client.product();
        let listed = push(&mut steps, "listing keys", Some(READER), listed, |_| {
            product.to_owned()
        });
        if listed.is_none() {
            return steps;
        }
        drop(service);
        match trial {
            Trial::None => {}
            Trial::On(root_key) => self.inner.examine_root_key(root_key, &mut steps).await,
            Trial::ThrownAway => self.inner.examine_making(&mut steps).await,
        }
        if self.inner.config.kept_in == KeptIn::KeyManager && trial == Trial::ThrownAway {
            self.inner.examine_keeping(&mut steps).await;
        }
        steps
    }
}

impl Inner {
    async fn examine_root_key(&self, root_key: &str, steps: &mut Examination) {
        let Some(service) = self.place(steps).await else {
            return;
        };
        let key = service.key(root_key).await;
        let key = push(steps, "a root key's metadata", Some(READER), key, |key| {
            format!("{} ({})", key.name, key.id)
        });
        let Some(id) = key.map(|key| key.id) else {
            return;
        };
        self.examine_wrapping(&service, id, steps).await;
        let dual = service.has_dual_authorization(id).await;
        push(steps, "a root key's policies", Some(MANAGER), dual, |dual| {
            if *dual {
                "two identities must agree to its deletion".to_owned()
            } else {
                "one identity can delete it".to_owned()
            }
        });
        let registrations = service.registrations(id).await;
        push(
            steps,
            "what a root key protects besides",
            Some(READER),
            registrations,
            |found| format!("{} registrations", found.len()),
        );
    }

    async fn examine_wrapping(&self, service: &Service<'_>, id: Uuid, steps: &mut Examination) {
        let made = service.make(id, &[]).await;
        let Some(made) = push(steps, "wrapping", Some(READER), made, nothing) else {
            return;
        };
        let opened = service.unwrap(id, &made.wrapped.ciphertext, &[]).await;
        let opened = opened.and_then(|opened| {
            let is_the_same = opened.plaintext.as_slice() == made.plaintext.as_slice();
            is_the_same
                .then_some(())
                .ok_or_else(|| Error::NotTheSame { key: id.to_string() })
        });
        push(steps, "unwrapping", Some(READER), opened, nothing);
        let rewrapped = service.rewrap(id, &made.wrapped.ciphertext, &[]).await;
        push(steps, "wrapping anew", Some(READER), rewrapped, nothing);
        let profile = self.aad.profile(service, id).await;
        push(
            steps,
            "additional authenticated data",
            Some(READER),
            profile,
            |profile| {
                if *profile == WrapProfile::KeyProtectAad {
                    "bound: a wrapped key opens as no other".to_owned()
                } else {
                    "not bound by this service: the seal of the row binds it".to_owned()
                }
            },
        );
    }

    async fn examine_making(&self, steps: &mut Examination) {
        let Some(service) = self.place(steps).await else {
            return;
        };
        let name = format!("claviger-examination-{}", Uuid::new_v4());
        let description = "Made by claviger doctor, and deleted at once";
        let created = service.create_root_key(&name, &name, description).await;
        let created = push(steps, "making a root key", Some(WRITER), created, |key| {
            key.id.to_string()
        });
        let Some(id) = created.map(|key| key.id) else {
            return;
        };
        self.examine_root_key(&id.to_string(), steps).await;
        let rotated = service.rotate(id).await;
        push(steps, "rotating a root key", Some(WRITER), rotated, nothing);
        let deleted = service.delete(id).await;
        push(steps, "deleting a root key", Some(MANAGER), deleted, nothing);
    }

    /// What keeping wrapped keys in the key manager takes.
    async fn examine_keeping(&self, steps: &mut Examination) {
        let Some(service) = self.place(steps).await else {
            return;
        };
        let mut value = [0; 32];
        // Whatever the bytes are, they are kept and read.
        let _ = rand_bytes(&mut value);
        let name = format!("claviger-examination-{}", Uuid::new_v4());
        let description = "Made by claviger doctor, and deleted at once";
        let created = service
            .create_standard_key(&name, None, description, &value)
            .await;
        let created = push(steps, "making a standard key", Some(WRITER), created, |key| {
            key.id.to_string()
        });
        let Some(id) = created.map(|key| key.id) else {
            return;
        };
        let read = service.payload(id).await.and_then(|read| {
            let is_the_same = read.as_slice() == value;
            is_the_same
                .then_some(())
                .ok_or_else(|| Error::NotTheSame { key: id.to_string() })
        });
        push(steps, "reading a standard key", Some(READER_PLUS), read, nothing);
        let deleted = service.delete(id).await;
        push(steps, "deleting a standard key", Some(MANAGER), deleted, nothing);
    }

    async fn place(&self, steps: &mut Examination) -> Option<Service<'_>> {
        match self.client.begin().await {
            Ok(service) => Some(service),
            Err(error) => {
                steps.push(step("a place among the requests", None, Err(error)));
                None
            }
        }
    }
}

fn step(what: &'static str, role: Option<&'static str>, outcome: Result<String, Error>) -> Step {
    Step { what, role, outcome }
}

/// Adds a step, and returns what it gave where it went well.
fn push<T>(
    steps: &mut Examination,
    what: &'static str,
    role: Option<&'static str>,
    outcome: Result<T, Error>,
    tell: impl FnOnce(&T) -> String,
) -> Option<T> {
    let (outcome, given) = match outcome {
        Ok(given) => (Ok(tell(&given)), Some(given)),
        Err(error) => (Err(error), None),
    };
    steps.push(step(what, role, outcome));
    given
}

fn nothing<T>(_: &T) -> String {
    String::new()
}
