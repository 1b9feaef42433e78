//! The control of a stand-in: what goes wrong, how slow it is, what others do to its keys, and what it has counted.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::calls::{end, rotation};
use crate::counters::{Counters, Counting};
use crate::faults::{Fault, FaultCount, Faults, KeyEvent};
use crate::model::{Key, Registration, State, Touched};
use crate::refusal::Refusal;
use crate::service::Service;

/// Who did what the control did.
const SOMEBODY: &str = "IBMid-somebody-else";

/// The control of a stand-in, from any thread, whether the stand-in runs or not. What is set holds over a stop and a start.
///
/// The same is to be had over HTTP, without a token, under `/control/` on the port of the stand-in; see the crate's
/// `control_interface`.
#[derive(Clone, Default)]
pub struct Control(Arc<Inner>);

#[derive(Default)]
struct Inner {
    faults: Faults,
    counting: Counting,
    delay: AtomicU64,
    ahead: AtomicI64,
    serving: Mutex<Option<(Arc<Service>, Handle)>>,
}

/// Why somebody else could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The stand-in is stopped.
    #[error("the stand-in does not run")]
    Stopped,
    /// There is no such key.
    #[error("there is no such key")]
    NoKey,
    /// The stand-in failed.
    #[error("{0}")]
    Failed(String),
}

/// A resource of the cloud that a key protects: what another service would register.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRegistration {
    /// The resource's CRN.
    pub resource_crn: String,
    /// Whether it has a retention policy, so that its key can't be deleted.
    #[serde(default)]
    pub prevent_key_deletion: bool,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

impl Control {
    /// Has something go wrong from now on, besides what was asked for before.
    pub fn fail(&self, fault: Fault) {
        self.0.faults.add(fault);
    }

    /// Has nothing go wrong any more. A delay of all requests stays.
    pub fn clear_faults(&self) {
        self.0.faults.clear();
    }

    /// The faults that were asked for, and how often each came.
    pub fn faults(&self) -> Vec<FaultCount> {
        self.0.faults.counts()
    }

    /// Has every request, IAM's too, wait so long before it is carried out; to the millisecond.
    pub fn set_delay(&self, delay: Duration) {
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.0.delay.store(milliseconds, Ordering::Relaxed);
    }

    /// What was counted.
    pub fn counters(&self) -> Counters {
        self.0.counting.now()
    }

    /// Counts from nought again.
    pub fn reset_counters(&self) {
        self.0.counting.reset();
    }

    /// Sets the stand-in's clock ahead of the host's by so many seconds, or behind it: keys and tokens expire, waits pass.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.0.ahead.store(seconds, Ordering::Relaxed);
    }

    /// Makes every token that is out no good.
    pub fn invalidate_tokens(&self) -> Result<(), ControlError> {
        self.service()?.0.iam.invalidate_tokens();
        Ok(())
    }

    /// How long IAM's tokens are good for from now on, until the stand-in is stopped; an hour at first.
    pub fn set_token_lifetime(&self, lifetime: Duration) -> Result<(), ControlError> {
        self.service()?.0.iam.set_lifetime(lifetime.as_secs());
        Ok(())
    }

    /// Has somebody else do this to a key, given by its identifier or alias. Returns when it is done.
    pub fn key_event(&self, key: &str, event: KeyEvent) -> Result<(), ControlError> {
        let (service, runtime) = self.service()?;
        let (control, key) = (self.clone(), key.to_owned());
        let (done, wait) = std::sync::mpsc::channel();
        // In the stand-in's own runtime, so that any thread can wait for it.
        runtime.spawn(async move {
            let _ = done.send(control.happens(&service, &key, event).await);
        });
        wait.recv().map_err(|_| ControlError::Stopped)?
    }

    /// Has another service protect a resource with a key, given by its identifier or alias.
    pub fn register(&self, key: &str, registration: NewRegistration) -> Result<(), ControlError> {
        let (service, runtime) = self.service()?;
        let (control, key) = (self.clone(), key.to_owned());
        let (done, wait) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            let _ = done.send(control.registered(&service, &key, registration).await);
        });
        wait.recv().map_err(|_| ControlError::Stopped)?
    }

    pub(crate) async fn registered(
        &self,
        service: &Service,
        key: &str,
        registration: NewRegistration,
    ) -> Result<(), ControlError> {
        let now = self.now();
        change(service, find(service, key)?, |key| {
            key.registrations.push(Registration {
                resource_crn: registration.resource_crn,
                prevent_key_deletion: registration.prevent_key_deletion,
                description: registration.description,
                created: somebody(now),
                version: key.latest().id,
            });
        })
        .await
    }

    pub(crate) async fn happens(
        &self,
        service: &Service,
        key: &str,
        event: KeyEvent,
    ) -> Result<(), ControlError> {
        let id = find(service, key)?;
        let now = self.now();
        match event {
            KeyEvent::Rotate => rotation::add_version(service, id, None, now, |_| Ok(()))
                .await
                .map_err(failed),
            KeyEvent::Preactivate => change(service, id, |key| key.enter(State::PreActive, now)).await,
            KeyEvent::Deactivate => change(service, id, |key| key.enter(State::Deactivated, now)).await,
            KeyEvent::Disable => change(service, id, |key| key.enter(State::Suspended, now)).await,
            KeyEvent::Enable => change(service, id, |key| key.enter(State::Active, now)).await,
            KeyEvent::Delete => change(service, id, |key| end::delete_key(key, SOMEBODY, now)).await,
            KeyEvent::Restore => {
                change(service, id, |key| {
                    key.deletion = None;
                    key.enter(State::Active, now);
                })
                .await
            }
            KeyEvent::Purge => {
                let gone = service.store.change(|state| {
                    let key = state.key(id).cloned().ok_or_else(Refusal::key_not_found)?;
                    state.remove_key(id);
                    Ok(key)
                });
                let key = gone.await.map_err(failed)?;
                end::destroy_versions(service, &key).await.map_err(failed)
            }
        }
    }

    /// The time as the stand-in has it.
    pub(crate) fn now(&self) -> OffsetDateTime {
        let ahead = self.0.ahead.load(Ordering::Relaxed);
        OffsetDateTime::now_utc() + time::Duration::seconds(ahead)
    }

    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.0.delay.load(Ordering::Relaxed))
    }

    pub(crate) fn active_faults(&self) -> &Faults {
        &self.0.faults
    }

    pub(crate) fn counting(&self) -> &Counting {
        &self.0.counting
    }

    pub(crate) fn serves(&self, service: Option<Arc<Service>>) {
        *self.lock() = service.map(|service| (service, Handle::current()));
    }

    fn service(&self) -> Result<(Arc<Service>, Handle), ControlError> {
        self.lock().clone().ok_or(ControlError::Stopped)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Arc<Service>, Handle)>> {
        self.0.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(service: &Service, key: &str) -> Result<Uuid, ControlError> {
    service
        .store
        .read(|state| state.find_key(key).map(|key| key.id))
        .ok_or(ControlError::NoKey)
}

fn somebody(at: OffsetDateTime) -> Touched {
    let by = SOMEBODY.to_owned();
    Touched { at, by }
}

async fn change(service: &Service, id: Uuid, change: impl FnOnce(&mut Key)) -> Result<(), ControlError> {
    let changed = service.store.change(|state| {
        let mut key = Key::clone(state.key(id).ok_or_else(Refusal::key_not_found)?);
        change(&mut key);
        state.put_key(key);
        Ok(())
    });
    changed.await.map_err(failed)
}

#[allow(clippy::needless_pass_by_value)] // As an error is mapped.
fn failed(refusal: Refusal) -> ControlError {
    ControlError::Failed(format!("{refusal:?}"))
}
