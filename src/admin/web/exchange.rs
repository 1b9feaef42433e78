//! `POST /identity/token`: what IBM Cloud's IAM is for its clients. It gives an access token for an API key; here the API key is
//! a token of this server's, and the access token has it packed into the form that such clients insist on reading.
//!
//! Source: IBM Cloud's IAM identity services API, "Create an IAM access token for a user or service ID using an API key"; and
//! `ibm_cloud_sdk_core`, which reads `iat` and `exp` out of the access token to know when to ask again.
//!
//! Nothing is signed: the packed token is worth what the token in it is, is looked up with each request as that, and ends with
//! it. So every node takes it, and no key has to be shared.

use axum::Json;
use axum::extract::Form;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::entrance::{Entrance, NotLetIn};

/// The path.
pub(super) const PATH: &str = "/identity/token";

const GRANT: &str = "urn:ibm:params:oauth:grant-type:apikey";

/// How long a packed token says that it is good for, in seconds: then it is looked up anew.
const LIFETIME: i64 = 3600;

/// The form, of which the rest is of no use here.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    apikey: String,
}

/// What a packed token says.
#[derive(Deserialize)]
struct Claims {
    claviger_token: String,
}

/// Gives an access token for an API key; or why not, and what of it is to be recorded.
pub(super) async fn exchanged(
    entrance: &Entrance,
    asked: Result<Form<Asked>, FormRejection>,
) -> (Response, Option<&'static str>) {
    let Ok(Form(asked)) = asked else {
        return (
            refused("BXNIM0109E", "The body is no form with grant_type and apikey."),
            None,
        );
    };
    let secret = Zeroizing::new(asked.apikey);
    if asked.grant_type != GRANT {
        let what = "Property grant_type is missing or is not a supported grant type.";
        return (refused("BXNIM0109E", what), None);
    }
    match entrance.token(&secret).await {
        Ok(token) => {
            let now = OffsetDateTime::now_utc().unix_timestamp();
            let expires = (now + LIFETIME).min(token.expires_at.unix_timestamp());
            let body = json!({
                "access_token": packed(&secret, now, expires),
                "refresh_token": "not_supported",
                "token_type": "Bearer",
                "expires_in": expires - now,
                "expiration": expires,
                "scope": "ibm openid",
            });
            (Json(body).into_response(), None)
        }
        Err(NotLetIn::Unknown(refusal)) => (refusal.into_response(), None),
        Err(NotLetIn::Token(why)) => (
            refused("BXNIM0415E", "Provided API key could not be found."),
            Some(why),
        ),
        Err(NotLetIn::Certificate(_) | NotLetIn::Nothing) => (
            refused("BXNIM0415E", "Provided API key could not be found."),
            None,
        ),
    }
}

fn refused(code: &str, message: &str) -> Response {
    let body = json!({
        "errorCode": code,
        "errorMessage": message,
        "context": { "requestId": Uuid::new_v4().simple().to_string() },
    });
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// A token in the form of an unsigned JSON Web Token.
pub(super) fn packed(secret: &str, issued: i64, expires: i64) -> String {
    let header = json!({ "alg": "none", "typ": "JWT" }).to_string();
    let claims = json!({ "claviger_token": secret, "iat": issued, "exp": expires });
    let claims = Zeroizing::new(claims.to_string());
    format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims.as_bytes())
    )
}

/// The token in a packed one; none where it is no such.
pub(super) fn unpacked(shown: &str) -> Option<Zeroizing<String>> {
    let (_, rest) = shown.split_once('.')?;
    let claims = rest.strip_suffix('.')?;
    let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    Some(Zeroizing::new(claims.claviger_token))
}
