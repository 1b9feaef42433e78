//! The calls: what each does to the state and to the token, and what it answers.
//!
//! Sources: Key Protect's API reference, version 2; "Error messages" of its documentation.

mod actions;
mod aliases;
mod body;
mod create;
pub(crate) mod end;
mod form;
mod import_token;
mod key_rings;
mod keys;
mod listing;
mod material;
mod policies;
mod registrations;
mod request;
pub(crate) mod rotation;

use hyper::{HeaderMap, StatusCode};
use serde_json::Value;

pub(crate) use request::Request;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::service::Service;

/// What a client gets.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body, where there is one.
    pub(crate) body: Option<Value>,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Some(body),
        }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::new(StatusCode::OK, body)
    }

    pub(crate) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: None,
        }
    }
}

/// Carries a call out.
pub(crate) async fn answer(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    match request.call {
        Call::CreateKey => create::create(service, request).await,
        Call::ListKeys => keys::list(service, request),
        Call::CountKeys => keys::count(service, request),
        Call::GetKey => keys::get(service, request),
        Call::GetMetadata => keys::metadata(service, request),
        Call::ListVersions => keys::versions(service, request),
        Call::PatchKey => keys::patch(service, request).await,
        Call::DeleteKey => end::delete(service, request).await,
        Call::PurgeKey => end::purge(service, request).await,
        Call::RestoreKey => end::restore(service, request).await,
        Call::Wrap => actions::wrap(service, request).await,
        Call::Unwrap => actions::unwrap(service, request).await,
        Call::Rewrap => actions::rewrap(service, request).await,
        Call::Rotate => rotation::rotate(service, request).await,
        Call::Disable => end::disable(service, request).await,
        Call::Enable => end::enable(service, request).await,
        Call::SetKeyForDeletion => end::set_for_deletion(service, request).await,
        Call::UnsetKeyForDeletion => end::unset_for_deletion(service, request).await,
        Call::CreateAlias => aliases::create(service, request).await,
        Call::DeleteAlias => aliases::delete(service, request).await,
        Call::Sync => end::sync(service, request),
        Call::PutPolicy => policies::put(service, request).await,
        Call::GetPolicy => policies::get(service, request),
        Call::PutInstancePolicy => policies::put_for_instance(service, request).await,
        Call::GetInstancePolicy => Ok(policies::get_for_instance(service, request)),
        Call::GetAllowedIpPort => Ok(policies::allowed_ip_port(service)),
        Call::CreateImportToken => import_token::create(service, request).await,
        Call::GetImportToken => import_token::get(service, request).await,
        Call::ListRegistrations => registrations::list(service, request),
        Call::ListKeyRings => key_rings::list(service, request),
        Call::CreateKeyRing => key_rings::create(service, request).await,
        Call::DeleteKeyRing => key_rings::delete(service, request).await,
        Call::Token | Call::Unknown => Err(Refusal::no_such_path()),
    }
}
