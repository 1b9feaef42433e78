//! The control over HTTP, for those in another process: no token, JSON in and out, on the stand-in's own port.
//!
//! | request | body |
//! |---|---|
//! | `GET /control/counters` | answers [`Counters`](crate::Counters) |
//! | `DELETE /control/counters` | counts from nought again |
//! | `POST /control/faults` | a [`Fault`] |
//! | `GET /control/faults` | answers a list of [`FaultCount`](crate::FaultCount) |
//! | `DELETE /control/faults` | nothing goes wrong any more |
//! | `PUT /control/delay` | `{"milliseconds": 50}`, of all requests |
//! | `PUT /control/clock` | `{"ahead_seconds": 3600}` |
//! | `PUT /control/tokens` | `{"lifetime_seconds": 10}`, of those to come |
//! | `DELETE /control/tokens` | those that are out are good no longer |
//! | `POST /control/keys/{id or alias}/{event}` | none; the event is a [`KeyEvent`], such as `rotate` |
//! | `POST /control/keys/{id or alias}/registrations` | a [`NewRegistration`] |
//!
//! What is done is answered with 204, what is wrong with 400, a key that is not there with 404.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::calls::Reply;
use crate::control::{Control, ControlError, NewRegistration};
use crate::faults::{Fault, KeyEvent};
use crate::service::Service;

/// What all paths of it begin with.
pub(crate) const PREFIX: &str = "/control/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    milliseconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    ahead_seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    lifetime_seconds: u64,
}

/// Does what a request to the control interface asks.
pub(crate) async fn answer(
    control: &Control,
    service: &Service,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Reply {
    let path = path.strip_prefix(PREFIX).unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    done(control, service, (method.as_str(), &segments), body)
        .await
        .unwrap_or_else(|(status, what)| Reply::new(status, json!({"error": what})))
}

type Wrong = (StatusCode, String);

async fn done(
    control: &Control,
    service: &Service,
    asked: (&str, &[&str]),
    body: &[u8],
) -> Result<Reply, Wrong> {
    match asked {
        ("GET", ["counters"]) => return told(&control.counters()),
        ("DELETE", ["counters"]) => control.reset_counters(),
        ("GET", ["faults"]) => return told(&control.faults()),
        ("POST", ["faults"]) => control.fail(read::<Fault>(body)?),
        ("DELETE", ["faults"]) => control.clear_faults(),
        ("PUT", ["delay"]) => control.set_delay(Duration::from_millis(read::<Delay>(body)?.milliseconds)),
        ("PUT", ["clock"]) => control.set_clock_ahead(read::<Clock>(body)?.ahead_seconds),
        ("PUT", ["tokens"]) => service.iam.set_lifetime(read::<Tokens>(body)?.lifetime_seconds),
        ("DELETE", ["tokens"]) => service.iam.invalidate_tokens(),
        ("POST", ["keys", key, "registrations"]) => {
            let registration: NewRegistration = read(body)?;
            control
                .registered(service, key, registration)
                .await
                .map_err(wrong)?;
        }
        ("POST", ["keys", key, event]) => {
            let event: Result<KeyEvent, serde::de::value::Error> =
                KeyEvent::deserialize(event.into_deserializer());
            let event = event.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
            control.happens(service, key, event).await.map_err(wrong)?;
        }
        _ => return Err((StatusCode::NOT_FOUND, "there is no such control".to_owned())),
    }
    Ok(Reply::no_content())
}

fn told(what: &impl Serialize) -> Result<Reply, Wrong> {
    let value: Value =
        serde_json::to_value(what).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Reply::ok(value))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Wrong> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

#[allow(clippy::needless_pass_by_value)] // As an error is mapped.
fn wrong(error: ControlError) -> Wrong {
    let status = match error {
        ControlError::NoKey => StatusCode::NOT_FOUND,
        ControlError::Stopped | ControlError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.to_string())
}
