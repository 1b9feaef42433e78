//! IAM: API keys, and the tokens that they are exchanged for.
//!
//! Source: IBM Cloud's IAM identity services API, "Create an IAM access token for a user or service ID using an API key".

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Error, files, random};

const GRANT: &str = "urn:ibm:params:oauth:grant-type:apikey";
/// How long a token is good for, in seconds, where the control interface has said nothing else.
pub(crate) const LIFETIME: u64 = 3600;
/// The files of the API keys, and what each may do.
const KEYS: [(&str, Role); 5] = [
    (API_KEY, Role::Manager),
    (SECOND_API_KEY, Role::Manager),
    (WRITER_API_KEY, Role::Writer),
    (READER_PLUS_API_KEY, Role::ReaderPlus),
    (READER_API_KEY, Role::Reader),
];
pub(crate) const API_KEY: &str = "api-key";
pub(crate) const SECOND_API_KEY: &str = "second-api-key";
pub(crate) const WRITER_API_KEY: &str = "writer-api-key";
pub(crate) const READER_PLUS_API_KEY: &str = "reader-plus-api-key";
pub(crate) const READER_API_KEY: &str = "reader-api-key";

/// A service access role: each may do what those before it may.
///
/// Source: Key Protect's documentation, "Understanding user roles and resources".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Looks at keys, and wraps and unwraps.
    Reader,
    /// Reads the material of standard keys.
    ReaderPlus,
    /// Makes and rotates keys.
    Writer,
    /// Deletes keys and does everything else.
    Manager,
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Identity {
    /// The service ID, as `createdBy` shows it.
    pub(crate) id: String,
    pub(crate) role: Role,
}

/// The API keys, and the key that signs tokens.
pub(crate) struct Iam {
    keys: Vec<(String, Identity)>,
    signing: PKey<Private>,
    /// Tokens of an earlier generation are no longer good.
    generation: AtomicU64,
    lifetime: AtomicU64,
}

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    iam_id: String,
    sub: String,
    sub_type: String,
    iat: i64,
    exp: i64,
    jti: String,
    iss: String,
    grant_type: String,
    scope: String,
    generation: u64,
}

impl Iam {
    /// The API keys and the signing key of the directory, made where they are not there.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let mut keys = Vec::new();
        for (name, role) in KEYS {
            let path = directory.join(name);
            let make = || Ok(URL_SAFE_NO_PAD.encode(random::<33>()).into_bytes());
            let key = String::from_utf8(files::read_or_make(&path, make)?)
                .map_err(|error| Error::content(&path, error))?;
            let digest = openssl::sha::sha256(key.as_bytes());
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&digest[..16]);
            let id = format!(
                "iam-ServiceId-{}",
                uuid::Builder::from_random_bytes(bytes).into_uuid()
            );
            keys.push((key, Identity { id, role }));
        }
        let path = directory.join("iam.key");
        let signing = files::read_or_make(&path, || Ok(random::<32>().to_vec()))?;
        Ok(Self {
            keys,
            signing: PKey::hmac(&signing).map_err(|error| Error::content(&path, error))?,
            generation: AtomicU64::new(0),
            lifetime: AtomicU64::new(LIFETIME),
        })
    }

    /// Exchanges an API key for a token: the status and the body of the answer.
    pub(crate) fn token(&self, form: &[u8], now: OffsetDateTime) -> (StatusCode, Value) {
        let field = |name: &str| {
            let mut fields = form_urlencoded::parse(form);
            fields.find(|(field, _)| field == name).map(|(_, value)| value)
        };
        if field("grant_type").as_deref() != Some(GRANT) {
            let message = "Property grant_type is missing or is not a supported grant type.";
            return (StatusCode::BAD_REQUEST, error("BXNIM0109E", message));
        }
        let key = field("apikey").unwrap_or_default();
        let known = self
            .keys
            .iter()
            .find(|(known, _)| known.len() == key.len() && memcmp::eq(known.as_bytes(), key.as_bytes()));
        let Some((_, identity)) = known else {
            let message = "Provided API key could not be found.";
            return (StatusCode::BAD_REQUEST, error("BXNIM0415E", message));
        };
        let lifetime = self.lifetime.load(Ordering::Relaxed);
        let issued = now.unix_timestamp();
        let expires = issued + i64::try_from(lifetime).unwrap_or(i64::MAX / 2);
        let claims = Claims {
            iam_id: identity.id.clone(),
            sub: identity.id.clone(),
            sub_type: "ServiceId".to_owned(),
            iat: issued,
            exp: expires,
            jti: Uuid::new_v4().to_string(),
            iss: "https://iam.cloud.ibm.com/identity".to_owned(),
            grant_type: GRANT.to_owned(),
            scope: "ibm openid".to_owned(),
            generation: self.generation.load(Ordering::Relaxed),
        };
        let token = json!({
            "access_token": self.sign(&claims),
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": lifetime,
            "expiration": expires,
            "scope": "ibm openid",
        });
        (StatusCode::OK, token)
    }

    /// Who the header `authorization` says it is; `None` where it holds no token that is good now.
    pub(crate) fn identity(&self, authorization: &str, now: OffsetDateTime) -> Option<Identity> {
        let (scheme, token) = authorization.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let expected = self.signature(signed.as_bytes());
        if signature.len() != expected.len() || !memcmp::eq(&signature, &expected) {
            return None;
        }
        let (_, claims) = signed.split_once('.')?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let good =
            claims.exp > now.unix_timestamp() && claims.generation == self.generation.load(Ordering::Relaxed);
        let known = self
            .keys
            .iter()
            .find(|(_, identity)| identity.id == claims.iam_id);
        known.filter(|_| good).map(|(_, identity)| identity.clone())
    }

    /// Makes every token that is out no good.
    pub(crate) fn invalidate_tokens(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// How long tokens are good for from now on.
    pub(crate) fn set_lifetime(&self, seconds: u64) {
        self.lifetime.store(seconds, Ordering::Relaxed);
    }

    fn sign(&self, claims: &Claims) -> String {
        let header = json!({"kid": "stand-in", "typ": "JWT", "alg": "HS256"}).to_string();
        let claims = serde_json::to_vec(claims).expect("claims are plain data");
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn signature(&self, signed: &[u8]) -> Vec<u8> {
        Signer::new(MessageDigest::sha256(), &self.signing)
            .and_then(|mut signer| signer.sign_oneshot_to_vec(signed))
            .expect("HMAC takes any bytes")
    }
}

/// An error in IAM's form.
pub(crate) fn error(code: &str, message: &str) -> Value {
    json!({
        "errorCode": code,
        "errorMessage": message,
        "context": {"requestId": Uuid::new_v4().to_string(), "requestType": "incoming.Identity_Token"},
    })
}
