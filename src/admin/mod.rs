//! The administration interface: JSON over HTTP on a Unix socket, for the operator of this machine, and over HTTPS ([`web`]).
//!
//! What belongs here: resources that an administrator reads and changes, a file a resource ([`api`] has what
//! they look like), the same in the form of Key Protect ([`key_protect`]), who may do what ([`permission`]), and the auditor's
//! pages ([`pages`]). What does not: KMIP, and how a change is stored or recorded.
//!
//! # Who may ask at the socket
//!
//! The kernel tells the user of each connection: the user that the server runs as, root, and those that the configuration
//! names. Any other gets 403 for whatever they ask. Where the configuration names none, the socket has the mode 0600. A change is in the custody log, in the same
//! commit, with the number and name of that user; reading changes nothing and is not recorded.
//!
//! # Norms of a reply
//!
//! A success is 200 with the resource, 201 with the resource that was made, or 204 with nothing after a
//! deletion. Everything else has the body of [`api::ErrorReply`]:
//!
//! ```json
//! { "error": { "code": "not_found", "message": "there is no adapter \"x\"", "remedy": "…" } }
//! ```
//!
//! | status | code | when |
//! |---|---|---|
//! | 400 | `bad_request` | the body is not the JSON that the resource takes, or a query parameter is not known |
//! | 400 | `invalid` | a value breaks a rule: a name, a certificate, a state |
//! | 401 | `unauthorized` | over HTTPS, neither a certificate nor a token that lets in |
//! | 403 | `not_admitted` | the caller is another user, or has not the role |
//! | 404 | `not_found` | no such resource |
//! | 405 | `method_not_allowed` | the resource does not take this method |
//! | 409 | `taken` | the name, or the certificate, is another's |
//! | 403 | `second_administrator` | another administrator must do this |
//! | 409 | `in_use` | what should be deleted is still needed |
//! | 409 | `wrong_state` | the root key is in a state that does not allow it |
//! | 409 | `conflict` | somebody else changed it at the same time; read again |
//! | 413 | `too_large` | the body is longer than [`BODY_LIMIT`] |
//! | 415 | `bad_request` | the body is not declared to be `application/json` |
//! | 500 | `tampered` | a stored row is not as the server wrote it |
//! | 500 | `internal` | an error of the server's own; its log has more |
//! | 502 | `backend_failed` | the device or service that holds the root key failed |
//! | 503 | `unavailable` | the store or the custody log cannot be used, so nothing was changed |
//! | 504 | `deadline` | no answer within [`DEADLINE`]; a change that was begun still ends by itself |
//!
//! A change runs to its end even where the client does not wait for it.

mod adapters;
mod administration;
pub mod api;
mod authorities;
mod backup;
mod bundle;
mod caller;
mod certificates;
mod comparison;
mod credentials;
mod custody;
mod epoch;
mod error;
mod expiry;
mod extract;
mod feeds;
mod key_deletion;
mod key_lists;
mod key_protect;
mod key_scan;
mod keys;
mod monitoring;
mod openapi;
mod pages;
mod peer;
mod permission;
mod pruning;
mod quota;
mod readable;
mod refusal;
mod restart;
mod root_key_import;
mod root_key_life;
mod root_key_resource;
mod root_key_restore;
mod root_keys;
mod secret;
mod server;
mod socket;
mod status;
#[cfg(test)]
mod tests;
mod tokens;
mod unused;
mod web;

use std::sync::Arc;
use std::time::Duration;

use axum::{Router, middleware};

pub use administration::{Administration, ReloadIdentities, ServerFacts};
pub use backup::Backups;
pub use error::Error;
pub use monitoring::{MetricsListener, metric_names, serve as serve_metrics};
pub use peer::{Admitted, Peer};
pub use readable::{readable, value_text};
pub use restart::NeedsRestart;
pub use server::serve;
pub use socket::Socket;
pub use web::{WebListener, serve as serve_web};

use caller::Caller;

/// The longest body of a request, in bytes.
pub const BODY_LIMIT: usize = 64 << 10;

/// How long a request may take from its last header to its answer.
pub const DEADLINE: Duration = Duration::from_mins(2);

/// The same for what is read from its beginning to its end before the answer begins: for a bundle of the custody log, for a
/// comparison with it, and for a backup.
const WHOLE_DEADLINE: Duration = Duration::from_hours(1);

/// Every resource.
fn routes(administration: Arc<Administration>) -> Router {
    Router::new()
        .merge(status::routes())
        .merge(root_keys::routes())
        .merge(root_key_import::routes())
        .merge(root_key_life::routes())
        .merge(root_key_restore::routes())
        .merge(adapters::routes())
        .merge(quota::routes())
        .merge(certificates::routes())
        .merge(credentials::routes())
        .merge(authorities::routes())
        .merge(keys::routes())
        .merge(key_scan::routes())
        .merge(key_lists::routes())
        .merge(unused::routes())
        .merge(custody::routes())
        .merge(comparison::routes())
        .merge(bundle::routes())
        .merge(backup::routes())
        .merge(epoch::routes())
        .merge(pruning::routes())
        .merge(tokens::routes())
        .merge(openapi::routes())
        .merge(key_protect::routes())
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(&administration),
            permission::checked,
        ))
        .with_state(administration)
}
