//! What each role may do, and which requests a token for single adapters may make.
//!
//! Reading is for every role. Changes of adapters, certificates and objects are for operators and administrators; all other
//! changes are for administrators. What is not named here is for administrators: a new resource is closed until somebody
//! opens it.

use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refusal::{Kind, Refusal};
use super::{Administration, Caller};
use crate::adapter::Role;
use crate::custody::EventName;

/// Changes that are an operator's.
const OPERATORS: &[(&str, &[Method])] = &[
    ("/v1/adapters", &[Method::POST]),
    ("/v1/adapters/{adapter}", &[Method::DELETE]),
    ("/v1/adapters/{adapter}/certificates", &[Method::POST]),
    (
        "/v1/adapters/{adapter}/certificates/{fingerprint}",
        &[Method::DELETE],
    ),
    ("/v1/adapters/{adapter}/credentials", &[Method::POST]),
    ("/v1/adapters/{adapter}/credentials/{username}", &[Method::DELETE]),
    ("/v1/adapters/{adapter}/credential-policy", &[Method::POST]),
    ("/v1/adapters/{adapter}/authorities", &[Method::POST]),
    (
        "/v1/adapters/{adapter}/authorities/{authority}",
        &[Method::DELETE],
    ),
    ("/v1/adapters/{adapter}/keys/{key}", &[Method::DELETE]),
    ("/v1/key-scan", &[Method::POST]),
    ("/v1/custody/comparison", &[Method::POST]),
    ("/api/v2/kmip_adapters", &[Method::POST]),
    ("/api/v2/kmip_adapters/{adapter}", &[Method::DELETE]),
    ("/api/v2/kmip_adapters/{adapter}/certificates", &[Method::POST]),
    (
        "/api/v2/kmip_adapters/{adapter}/certificates/{certificate}",
        &[Method::DELETE],
    ),
    (
        "/api/v2/kmip_adapters/{adapter}/kmip_objects/{object}",
        &[Method::DELETE],
    ),
];

/// A list that shows a token for single adapters those alone.
const SCOPED_LISTS: &[&str] = &["/api/v2/kmip_adapters"];

/// The least role for a request to the resource of this route.
fn least_role(route: &str, method: &Method) -> Role {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Role::Auditor;
    }
    let is_operators = OPERATORS
        .iter()
        .any(|(known, methods)| *known == route && methods.contains(method));
    if is_operators {
        Role::Operator
    } else {
        Role::Administrator
    }
}

/// Lets a request pass that its caller may make. What is refused, and over the network what is read of the custody log or by
/// an auditor, is recorded before the answer.
pub(super) async fn checked(
    State(administration): State<Arc<Administration>>,
    route: MatchedPath,
    parameters: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let Some(caller) = request.extensions().get::<Caller>().cloned() else {
        // The servers put one into each request; without, there is nobody to answer.
        return Refusal::new(Kind::NotAdmitted, "nobody is known to have asked this").into_response();
    };
    let parameters = match parameters {
        Ok(parameters) => parameters,
        Err(rejection) => return Refusal::new(Kind::BadRequest, rejection.body_text()).into_response(),
    };
    let (route, method) = (route.as_str(), request.method());
    let adapter = parameters
        .iter()
        .find_map(|(name, value)| (name == "adapter").then(|| value.to_owned()));
    let allowed = allowed(&administration, &caller, route, method, adapter.as_deref()).await;
    let event = match &allowed {
        Err(refusal) if refusal.kind() == Kind::NotAdmitted => caller
            .event(EventName::AdministratorRefused)
            .refused(refusal.message())
            .detail("method", method.as_str()),
        Err(_) => return allowed.into_response(),
        Ok(()) if is_recorded(&caller, route, method) => caller.event(EventName::AdministratorRead),
        Ok(()) => return next.run(request).await,
    };
    let mut event = event.detail("path", bounded(request.uri().path()));
    if let Some(query) = request.uri().query().filter(|query| !query.is_empty()) {
        event = event.detail("query", bounded(query));
    }
    match (administration.commit(Vec::new(), event).await, allowed) {
        (Err(refusal), Ok(())) | (_, Err(refusal)) => refusal.into_response(),
        (Ok(()), Ok(())) => next.run(request).await,
    }
}

async fn allowed(
    administration: &Administration,
    caller: &Caller,
    route: &str,
    method: &Method,
    adapter: Option<&str>,
) -> Result<(), Refusal> {
    let least = least_role(route, method);
    if caller.role() < least {
        let message = format!(
            "{} has the role {}, and this is for the role {least}",
            caller.name(),
            caller.role()
        );
        return Err(Refusal::new(Kind::NotAdmitted, message));
    }
    let Some(adapters) = caller.adapters() else {
        return Ok(());
    };
    if SCOPED_LISTS.contains(&route) && *method == Method::GET {
        return Ok(());
    }
    let not_for = || {
        Refusal::new(
            Kind::NotAdmitted,
            format!(
                "{} is for single adapters, and this is not one of them",
                caller.name()
            ),
        )
    };
    // Whether there is an adapter of that name is none of its business either.
    let found = administration.adapter(adapter.ok_or_else(not_for)?).await;
    match found {
        Ok(adapter) if adapters.contains(&adapter.id) => Ok(()),
        Err(refusal) if refusal.kind() != Kind::NotFound => Err(refusal),
        _ => Err(not_for()),
    }
}

fn is_recorded(caller: &Caller, route: &str, method: &Method) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let reads_records = ["/v1/custody/records", "/v1/custody/search", "/v1/custody/bundle"].contains(&route);
    caller.is_remote() && reads && (reads_records || caller.role() == Role::Auditor)
}

/// The text without control characters, and not longer than a line of a log should be.
pub(super) fn bounded(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .take(400)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_opened_is_for_administrators() {
        for (route, method, role) in [
            ("/v1/adapters", Method::GET, Role::Auditor),
            ("/v1/adapters", Method::POST, Role::Operator),
            ("/v1/adapters/{adapter}/move", Method::POST, Role::Administrator),
            ("/v1/adapters/{adapter}/quota", Method::PUT, Role::Administrator),
            ("/v1/unused-keys", Method::GET, Role::Auditor),
            ("/v1/key-lists", Method::POST, Role::Administrator),
            (
                "/v1/key-lists/{sha256}/approve",
                Method::POST,
                Role::Administrator,
            ),
            ("/v1/root-keys", Method::POST, Role::Administrator),
            ("/v1/tokens", Method::POST, Role::Administrator),
            ("/v1/tokens/{token}", Method::DELETE, Role::Administrator),
            ("/v1/custody/epoch/approve", Method::POST, Role::Administrator),
            ("/v1/backups", Method::POST, Role::Administrator),
            ("/v1/something-new", Method::PUT, Role::Administrator),
        ] {
            assert_eq!(least_role(route, &method), role, "{method} {route}");
        }
    }
}
