//! Slots that hold the same root keys, as the members of an HSM cluster do, as one backend.
//!
//! # Who is asked
//!
//! The member with the fewest requests under way, of those that serve the root key: the load is spread, and each member
//! shows all the time that it works. Where a member fails, the next is asked at once; where it does not answer within
//! [`PATIENCE`], the next is asked as well, and the first answer counts. So a client sees no failure as long as one
//! member serves. What is asked twice does no harm: a key that was made for an answer that nobody waits for any more is
//! wrapped under the root key and forgotten.
//!
//! # A member that failed
//!
//! It is *away* for the root key, and asked again only where every other failed too. In the background it is tried until
//! the root key is found on it with the check value that was recorded, and wraps and unwraps; then it is taken back.
//!
//! # A new root key
//!
//! It is made on one member, or brought to the first. The cluster copies it to the others by its own means, and it is used once each of them has
//! it, with the same check value: a key that one member alone has would be lost with that member. While a member is
//! away, no root key is made.

mod creation;
mod members;
mod recovery;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use claviger_hsm::Device;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::task::JoinHandle;

use super::{
    BackendDescription, Capabilities, Cipher, CreatedRootKey, DerivingCipher, Error, Healing, KeptKey,
    KeySpecification, KeyWrap, MacAlgorithm, MadeKey, Material, MemberDescription, RootKeyBackend,
    RsaPublicKey, WrappedRootKey,
};
use crate::adapter::RootKey;
use crate::key::WrappedKek;
use members::{Member, Members};

/// How long one member may take before another is asked as well.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Several backends that hold the same root keys. Needs the tokio runtime that it was started on.
pub struct MirrorBackend {
    name: String,
    members: Arc<Members>,
    replication: Duration,
    recovery: JoinHandle<()>,
}

impl MirrorBackend {
    /// A mirror of these backends, each with its name. `replication` is how long a root key that was made on one may take
    /// to appear on the others.
    pub fn start(
        name: impl Into<String>,
        members: Vec<(String, Arc<dyn RootKeyBackend>)>,
        replication: Duration,
    ) -> Self {
        let name = name.into();
        let members = Arc::new(Members::new(&name, members));
        let recovery = tokio::spawn(recovery::run(Arc::clone(&members)));
        Self {
            name,
            members,
            replication,
            recovery,
        }
    }

    /// Asks members until one answers.
    async fn ask<'a, T>(
        &'a self,
        root_keys: &[&RootKey],
        request: impl Fn(&'a dyn RootKeyBackend) -> BoxFuture<'a, Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let mut candidates = self.members.for_request(root_keys).into_iter().peekable();
        let mut under_way = FuturesUnordered::new();
        let mut asked = Vec::new();
        let mut failures = Vec::new();
        let mut another = true;
        loop {
            if another && let Some(candidate) = candidates.next() {
                let member = self.members.get(candidate.index);
                let (counted, answer) = (member.count(), request(member.backend()));
                asked.push(candidate.index);
                under_way.push(async move {
                    let answer = answer.await;
                    drop(counted);
                    (candidate.index, answer)
                });
            }
            // One that is away is asked when nobody else is left.
            let more_serve = candidates.peek().is_some_and(|next| !next.is_away);
            tokio::select! {
                answered = under_way.next() => match answered {
                    Some((index, Ok(answer))) => {
                        self.note_the_others(root_keys, index, &asked, &failures);
                        return Ok(answer);
                    }
                    Some((_, Err(error))) if is_of_the_request(&error) => return Err(error),
                    Some((index, Err(error))) => {
                        // A client may ask for a wrapping that a member does not know.
                        let says_nothing = error.is_busy()
                            || error.is_refusal_of_the_wrapped_key()
                            || error.is_unknown_wrapping()
                            || error.unsupported_what().is_some();
                        if !says_nothing {
                            self.members.lose(index, root_keys, &error);
                        }
                        // A member that serves has said so; one that is away can't know better.
                        another = more_serve
                            || under_way.is_empty() && !error.is_refusal_of_the_wrapped_key();
                        failures.push((index, error));
                    }
                    None => return Err(most_telling(failures)),
                },
                () = tokio::time::sleep(PATIENCE), if more_serve => another = true,
            }
        }
    }

    /// Asks every member about a root key. One at least must serve it; the others are away.
    async fn ask_all<'a>(
        &'a self,
        root_key: &RootKey,
        question: impl Fn(&'a dyn RootKeyBackend) -> BoxFuture<'a, Result<(), Error>> + Send,
    ) -> Result<(), Error> {
        let mut waiting = FuturesUnordered::new();
        for (index, member) in self.members.iter().enumerate() {
            let answer = question(member.backend());
            waiting.push(async move { (index, answer.await) });
        }
        let mut silent: Vec<_> = (0..waiting.len()).collect();
        let mut failures = Vec::new();
        let mut one_serves = false;
        loop {
            tokio::select! {
                answered = waiting.next() => {
                    let Some((index, answer)) = answered else { break };
                    silent.retain(|other| *other != index);
                    match answer {
                        Ok(()) => one_serves = true,
                        Err(error) => failures.push((index, error)),
                    }
                }
                () = tokio::time::sleep(PATIENCE), if one_serves => break,
            }
        }
        if !one_serves {
            return Err(most_telling(failures));
        }
        failures.extend(
            silent
                .into_iter()
                .map(|index| (index, self.members.silent(index))),
        );
        for (index, error) in failures {
            if !error.is_busy() {
                self.members.lose(index, &[root_key], &error);
            }
        }
        Ok(())
    }

    /// Another member has answered: what the others that were asked have done instead counts against them.
    fn note_the_others(
        &self,
        root_keys: &[&RootKey],
        answered: usize,
        asked: &[usize],
        failures: &[(usize, Error)],
    ) {
        for index in asked.iter().copied().filter(|index| *index != answered) {
            match failures.iter().find(|(failed, _)| *failed == index) {
                // It opened elsewhere: this member's key is not the same, or the member is broken.
                Some((_, error)) if error.is_refusal_of_the_wrapped_key() => {
                    self.members.lose(index, root_keys, error);
                }
                Some(_) => {}
                None => self.members.lose(index, root_keys, &self.members.silent(index)),
            }
        }
    }
}

impl Drop for MirrorBackend {
    fn drop(&mut self) {
        self.recovery.abort();
    }
}

/// What keeps a key that one member wrapped from being opened by another.
fn differs(first: &BackendDescription, other: &BackendDescription) -> Option<String> {
    (first.wrap_profile != other.wrap_profile).then(|| {
        format!(
            "it wraps keys by {}, and {} by {}: set `wrap_profile` of both to one that both can do",
            other.wrap_profile, first.name, first.wrap_profile
        )
    })
}

/// Whether every member would say the same.
fn is_of_the_request(error: &Error) -> bool {
    use claviger_hsm::Error as DeviceError;
    matches!(
        error,
        Error::Device {
            source: DeviceError::KeyLength { .. }
                | DeviceError::BufferLength { .. }
                | DeviceError::DataLength { .. }
                | DeviceError::DataRefused
                | DeviceError::ForeignKeyRefused,
            ..
        }
    )
}

/// The failure that says most of why nobody answered: that the key is at fault, or else what may pass.
fn most_telling(failures: Vec<(usize, Error)>) -> Error {
    let rank = |error: &Error| {
        if error.is_refusal_of_the_wrapped_key() {
            0
        } else {
            1 + u8::from(!error.is_retryable())
        }
    };
    let errors = failures.into_iter().map(|(_, error)| error);
    errors
        .min_by_key(rank)
        .expect("a mirror has members, and each was asked")
}

#[async_trait]
impl RootKeyBackend for MirrorBackend {
    async fn create(&self, root_key: &RootKey) -> Result<CreatedRootKey, Error> {
        creation::create(&self.members, root_key, self.replication).await
    }

    /// Whether one member at least has the root key. The others are away until they have it.
    async fn verify(&self, root_key: &RootKey) -> Result<(), Error> {
        self.ask_all(root_key, |member| member.verify(root_key)).await
    }

    async fn generate(&self, root_key: &RootKey, specification: KeySpecification) -> Result<MadeKey, Error> {
        self.ask(&[root_key], |member| member.generate(root_key, specification))
            .await
    }

    async fn import(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        material: &[u8],
    ) -> Result<MadeKey, Error> {
        self.ask(&[root_key], |member| {
            member.import(root_key, specification, material)
        })
        .await
    }

    async fn release(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        self.ask(&[root_key], |member| {
            member.release(root_key, specification, wrapped)
        })
        .await
    }

    async fn release_under(
        &self,
        key: KeptKey<'_>,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        self.ask(&[key.root_key, wrapping_key.root_key], |member| {
            member.release_under(key, wrapping_key, key_wrap)
        })
        .await
    }

    async fn rewrap(
        &self,
        from: &RootKey,
        to: &RootKey,
        specification: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        self.ask(&[from, to], |member| {
            member.rewrap(from, to, specification, wrapped)
        })
        .await
    }

    async fn encrypt(&self, key: KeptKey<'_>, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.ask(&[key.root_key], |member| member.encrypt(key, cipher, data))
            .await
    }

    async fn decrypt(&self, key: KeptKey<'_>, cipher: &Cipher, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.ask(&[key.root_key], |member| member.decrypt(key, cipher, data))
            .await
    }

    async fn mac(&self, key: KeptKey<'_>, algorithm: MacAlgorithm, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.ask(&[key.root_key], |member| member.mac(key, algorithm, data))
            .await
    }

    async fn verify_mac(
        &self,
        key: KeptKey<'_>,
        algorithm: MacAlgorithm,
        data: &[u8],
        code: &[u8],
    ) -> Result<bool, Error> {
        self.ask(&[key.root_key], |member| {
            member.verify_mac(key, algorithm, data, code)
        })
        .await
    }

    async fn unwrap_under(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
        wrapped: &[u8],
    ) -> Result<MadeKey, Error> {
        self.ask(&[wrapping_key.root_key, root_key], |member| {
            member.unwrap_under(root_key, specification, wrapping_key, key_wrap, wrapped)
        })
        .await
    }

    async fn derive_by_encryption(
        &self,
        root_key: &RootKey,
        specification: KeySpecification,
        base: KeptKey<'_>,
        cipher: DerivingCipher,
        data: &[u8],
    ) -> Result<MadeKey, Error> {
        self.ask(&[base.root_key, root_key], |member| {
            member.derive_by_encryption(root_key, specification, base, cipher, data)
        })
        .await
    }

    async fn random(&self, length: u16) -> Result<Vec<u8>, Error> {
        self.ask(&[], |member| member.random(length)).await
    }

    /// Every member is given it; whether one at least takes a seed. One that is away gets none.
    async fn seed_random(&self, seed: &[u8]) -> Result<bool, Error> {
        let members = self.members.iter().map(Member::backend);
        let answers = futures_util::future::join_all(members.map(|member| member.seed_random(seed))).await;
        let (taken, failures): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .enumerate()
            .partition(|(_, answer)| answer.is_ok());
        if taken.is_empty() {
            let failures = failures.into_iter();
            let failures = failures.filter_map(|(index, answer)| answer.err().map(|error| (index, error)));
            return Err(most_telling(failures.collect()));
        }
        Ok(taken.into_iter().any(|(_, answer)| answer == Ok(true)))
    }

    /// Those of the member that is asked: the members are alike.
    async fn capabilities(&self) -> Result<Capabilities, Error> {
        self.ask(&[], |member| member.capabilities()).await
    }

    /// On every member: where one is away, the key would live on there.
    async fn destroy(&self, root_key: &RootKey) -> Result<(), Error> {
        let mut outcome = Ok(());
        for member in self.members.iter() {
            let destroyed = member.backend().destroy(root_key).await;
            outcome = outcome.and(destroyed);
        }
        outcome
    }

    async fn offer_take_in(&self, label: &str) -> Result<RsaPublicKey, Error> {
        creation::offer_take_in(&self.members, label).await
    }

    async fn take_in(
        &self,
        label: &str,
        wrapped: &WrappedRootKey,
        root_key: &RootKey,
    ) -> Result<CreatedRootKey, Error> {
        creation::take_in(&self.members, label, wrapped, root_key, self.replication).await
    }

    /// A member stands for it, see [`members`](Self::members).
    fn device(&self) -> Result<Device, Error> {
        Err(Error::NotOneDevice {
            backend: self.name.clone(),
        })
    }

    fn members(&self, root_key: &RootKey) -> Vec<Arc<dyn RootKeyBackend>> {
        let candidates = self.members.for_request(&[root_key]).into_iter();
        candidates
            .map(|candidate| self.members.get(candidate.index).shared())
            .collect()
    }

    async fn forget(&self, root_key: &RootKey, wrapped: Option<&WrappedKek>) {
        let members = self.members.iter().map(Member::backend);
        futures_util::future::join_all(members.map(|member| member.forget(root_key, wrapped))).await;
    }

    /// Whether one member at least serves now. Each is tried, so that one that is away is known before a client's request
    /// is late for it.
    async fn check(&self, root_key: &RootKey) -> Result<(), Error> {
        self.ask_all(root_key, |member| member.check(root_key)).await
    }

    /// That of all members together.
    fn healing(&self) -> Option<Healing> {
        let members = self.members.iter();
        Some(members.filter_map(|member| member.backend().healing()).sum())
    }

    fn under_way(&self) -> usize {
        self.members
            .iter()
            .map(|member| member.backend().under_way())
            .sum()
    }

    /// The first member that answers, under the mirror's name, with how each of them is.
    async fn describe(&self) -> Result<BackendDescription, Error> {
        let asked = self.members.iter().map(|member| member.backend().describe());
        let answers = futures_util::future::join_all(asked).await;
        let first = answers.iter().flatten().next();
        let members = (self.members.iter().zip(&answers))
            .map(|(member, answer)| {
                let trouble = member
                    .trouble()
                    .or_else(|| differs(first?, answer.as_ref().ok()?));
                MemberDescription::of(member.name(), answer, trouble)
            })
            .collect();
        let worker_pids = (answers.iter().flatten())
            .flat_map(|answer| answer.worker_pids.iter().copied())
            .collect();
        let mut failures = Vec::new();
        for (index, answer) in answers.into_iter().enumerate() {
            match answer {
                Ok(answer) => {
                    return Ok(BackendDescription {
                        name: self.name.clone(),
                        worker_pids,
                        members,
                        ..answer
                    });
                }
                Err(error) => failures.push((index, error)),
            }
        }
        Err(most_telling(failures))
    }
}
