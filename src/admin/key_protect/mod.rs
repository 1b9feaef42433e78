//! `/api/v2`: adapters, certificates and objects in the form of Key Protect's API, so that what was automated with IBM's clients
//! works when it is pointed here.
//!
//! | request | reply |
//! |---|---|
//! | `GET`, `POST /api/v2/kmip_adapters` | the adapters; a new one |
//! | `GET`, `DELETE …/kmip_adapters/{adapter}` | one, by identifier or name |
//! | `GET`, `POST …/certificates` | the certificates of an adapter, without the certificates themselves; a new one |
//! | `GET`, `DELETE …/certificates/{certificate}` | one, by identifier or name |
//! | `GET …/kmip_objects` | the objects of an adapter, by default those that are not destroyed |
//! | `GET`, `DELETE …/kmip_objects/{object}` | one; it is destroyed |
//!
//! Source: Key Protect's API documentation, and IBM's client `keyprotect` 3.0.1, which judges it in the tests.
//!
//! # What is not as there
//!
//! - `bluemix-instance` is not looked at: this server is the one instance.
//! - `crk_id` is the identifier, or the name, of a root key of this server.
//! - A certificate's identifier is made of its fingerprint, and works at once.
//! - An object's deletion can't be undone, so nothing is `recoverable`.
//! - Of the codes of refusals those that IBM's documents and tests name are used: `KMIP_ADAPTER_DUPLICATE_NAME_ERR`,
//!   `NATIVE_CRK_ID_NOT_FOUND_ERR`, `NATIVE_INVALID_CRK_ERR`, and the general ones. Others may be called otherwise there.

mod adapters;
mod certificates;
mod envelope;
mod objects;
mod refusal;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::Administration;

pub(super) use adapters::{Adapter, ToMake as NewAdapter};
pub(super) use certificates::{Certificate, ToAdd as NewCertificate};
pub(super) use objects::Object;
pub(super) use refusal::{in_form, in_its_form};

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new()
        .route(
            "/api/v2/kmip_adapters",
            get(adapters::list).post(adapters::create),
        )
        .route(
            "/api/v2/kmip_adapters/{adapter}",
            get(adapters::show).delete(adapters::remove),
        )
        .route(
            "/api/v2/kmip_adapters/{adapter}/certificates",
            get(certificates::list).post(certificates::add),
        )
        .route(
            "/api/v2/kmip_adapters/{adapter}/certificates/{certificate}",
            get(certificates::show).delete(certificates::remove),
        )
        .route("/api/v2/kmip_adapters/{adapter}/kmip_objects", get(objects::list))
        .route(
            "/api/v2/kmip_adapters/{adapter}/kmip_objects/{object}",
            get(objects::show).delete(objects::remove),
        )
}
