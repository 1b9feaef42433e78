//! Additional authenticated data: what a wrapped key is bound to, where the service does bind it. Whether it does is found by
//! trial, once after a start, and recorded with each key by its wrap profile.

use claviger_hsm::memory::LockedBuffer;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::Error;
use super::client::Service;
use super::refusal::Kind;
use crate::key::WrapProfile;
use crate::root_key::{Binding, KeySpecification};

/// What is known of the service in this.
#[derive(Default)]
pub(super) struct Aad(OnceCell<WrapProfile>);

impl Aad {
    /// How new keys are wrapped.
    pub(super) async fn profile(&self, service: &Service<'_>, key: Uuid) -> Result<WrapProfile, Error> {
        let profile = self.0.get_or_try_init(|| found(service, key)).await?;
        Ok(*profile)
    }

    /// The same, where it is known already.
    pub(super) fn known(&self) -> Option<WrapProfile> {
        self.0.get().copied()
    }
}

/// What a value is bound to by its profile.
pub(super) fn strings(profile: WrapProfile, specification: KeySpecification) -> Vec<String> {
    match profile {
        WrapProfile::KeyProtectAad => of_binding(specification.binding),
        _ => Vec::new(),
    }
}

fn of_binding(binding: Binding) -> Vec<String> {
    let Binding {
        adapter,
        object,
        part,
    } = binding;
    vec![
        format!("adapter={adapter}"),
        format!("object={object}"),
        format!("part={part}"),
    ]
}

/// Makes and wraps with additional data, and unwraps with the same, without it, and with other.
async fn found(service: &Service<'_>, key: Uuid) -> Result<WrapProfile, Error> {
    let binding = |part| {
        of_binding(Binding {
            adapter: key,
            object: key,
            part,
        })
    };
    let (right, wrong) = (binding(0), binding(1));
    let made = match service.make(key, &right).await {
        Ok(made) => made,
        // It does not take any.
        Err(error) if is_no(&error) => return Ok(WrapProfile::KeyProtect),
        Err(error) => return Err(error),
    };
    let ciphertext = &made.wrapped.ciphertext;
    let opened = service.unwrap(key, ciphertext, &right).await;
    let binds = is_opened(opened.map(|opened| opened.plaintext), &made.plaintext)?
        && is_refused(service.unwrap(key, ciphertext, &[]).await)?
        && is_refused(service.unwrap(key, ciphertext, &wrong).await)?;
    let profile = if binds {
        WrapProfile::KeyProtectAad
    } else {
        WrapProfile::KeyProtect
    };
    tracing::info!(%key, %profile, "whether the key manager binds additional data was tried");
    Ok(profile)
}

fn is_opened(opened: Result<LockedBuffer, Error>, made: &LockedBuffer) -> Result<bool, Error> {
    match opened {
        Ok(opened) => Ok(opened.as_slice() == made.as_slice()),
        Err(error) if is_no(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_refused<T>(opened: Result<T, Error>) -> Result<bool, Error> {
    match opened {
        Ok(_) => Ok(false),
        Err(error) if is_no(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether the service says no to what is in the request, and not to the key or to who asks.
fn is_no(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => {
            refusal.kind == Kind::UnprocessableCiphertext
                || refusal.kind == Kind::Other && matches!(refusal.status, 400 | 409 | 422)
        }
        _ => false,
    }
}
