//! Tokens of IAM for the API key: one at a time, renewed before it expires, one renewal for all who wait.
//!
//! How long a token lasts is measured by the monotonic clock from before it was asked for, so that a wrong time of day does
//! no harm; and where the service refuses one all the same, there is one renewal for that.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use claviger_hsm::memory::LockedBuffer;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::api_key::ApiKey;
use super::http::{Answer, Http, Message};
use super::retry::{BackOff, retry_after};
use super::{ApiKeySource, Error, KeyProtectConfig, address, secret_body};

/// Who is spoken of in errors.
const IAM: &str = "IAM";
/// So long before it expires a token is renewed, while the old one still serves.
const AHEAD: Duration = Duration::from_mins(1);
/// The longest that a token is believed to last.
const LONGEST: Duration = Duration::from_hours(24);
/// How long a renewal ahead of time may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// After a renewal that failed, others fail with it for so long.
const REST: Duration = Duration::from_millis(250);
/// An API key that IAM refused is not sent to it again for so long, unless its file has another one.
const REFUSED_FOR: Duration = Duration::from_secs(30);
/// Where the service has refused so many tokens in a row, none of which it ever took,
const UNPROVEN: u32 = 8;
/// the last is not renewed for so long.
const UNPROVEN_FOR: Duration = Duration::from_secs(5);
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const GRANT: &[u8] = b"grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=";

/// A token, as it goes into a request.
pub(super) struct Token {
    /// `Bearer …`; marked as sensitive, so that it shows in no `Debug`.
    pub(super) authorization: HeaderValue,
    had_at: Instant,
    renew_at: Instant,
    expires_at: Instant,
    /// How many in a row were refused before it, none of which the service ever took.
    refused_before: u32,
    /// Whether the service has taken it.
    proven: AtomicBool,
}

impl Token {
    /// The service has taken it.
    pub(super) fn prove(&self) {
        if !self.is_proven() {
            self.proven.store(true, Ordering::Relaxed);
        }
    }

    /// Whether renewing it for a refusal would not help: it is new, and so were those before.
    fn is_beyond_help(&self) -> bool {
        self.refused_before >= UNPROVEN && !self.is_proven() && self.had_at.elapsed() < UNPROVEN_FOR
    }

    fn is_proven(&self) -> bool {
        self.proven.load(Ordering::Relaxed)
    }
}

/// What has tokens.
pub(super) struct Iam {
    http: Http,
    url: Url,
    source: ApiKeySource,
    current: RwLock<Option<Arc<Token>>>,
    renewal: Arc<Mutex<Renewal>>,
    renewed_for_refusals: AtomicU64,
}

/// What the one has who renews.
struct Renewal {
    key: ApiKey,
    /// When IAM refused the key, and how.
    refused: Option<(Instant, Error)>,
    /// When the last renewal failed, and why; none after one that did not.
    failed: Option<(Instant, Error)>,
}

#[derive(Deserialize)]
struct TokenAnswer<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    expires_in: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refused {
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    context: Context,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(default)]
    request_id: String,
}

impl Iam {
    /// Reads the API key. Asks nobody.
    pub(super) fn new(config: &KeyProtectConfig, http: Http) -> Result<Arc<Self>, Error> {
        let renewal = Renewal {
            key: ApiKey::read(&config.api_key)?,
            refused: None,
            failed: None,
        };
        Ok(Arc::new(Self {
            http,
            url: address::iam(&config.iam_url)?,
            source: config.api_key.clone(),
            current: RwLock::default(),
            renewal: Arc::new(Mutex::new(renewal)),
            renewed_for_refusals: AtomicU64::new(0),
        }))
    }

    /// A token that is valid by what is known of it. One that soon is not any more is renewed in the background.
    pub(super) async fn token(self: &Arc<Self>, until: Instant) -> Result<Arc<Token>, Error> {
        let asked = Instant::now();
        if let Some(token) = self.current() {
            if asked < token.renew_at {
                return Ok(token);
            }
            if asked < token.expires_at {
                if let Ok(renewal) = Arc::clone(&self.renewal).try_lock_owned() {
                    self.renew_ahead(renewal);
                }
                return Ok(token);
            }
        }
        self.renewed(None, asked, until).await
    }

    /// A token in the place of one that the service refused. None where another would be refused as well.
    pub(super) async fn instead_of(
        &self,
        refused: &Arc<Token>,
        until: Instant,
    ) -> Result<Option<Arc<Token>>, Error> {
        if refused.is_beyond_help() {
            return Ok(None);
        }
        self.renewed(Some(refused), Instant::now(), until).await.map(Some)
    }

    /// How many tokens were renewed because the service refused the one before.
    pub(super) fn renewed_for_refusals(&self) -> u64 {
        self.renewed_for_refusals.load(Ordering::Relaxed)
    }

    fn current(&self) -> Option<Arc<Token>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }

    fn renew_ahead(self: &Arc<Self>, mut renewal: OwnedMutexGuard<Renewal>) {
        // Somebody may have renewed it, or failed to, since.
        let is_due = self
            .current()
            .is_none_or(|token| Instant::now() >= token.renew_at);
        if !is_due || renewal.failed.as_ref().is_some_and(|(at, _)| at.elapsed() < REST) {
            return;
        }
        let iam = Arc::clone(self);
        tokio::spawn(async move {
            let until = Instant::now() + PATIENCE;
            if let Err(error) = iam.renew(&mut renewal, 0, until).await {
                tracing::warn!(%error, "the token of IAM could not be renewed ahead of time; it is tried again");
            }
        });
    }

    async fn renewed(
        &self,
        refused: Option<&Arc<Token>>,
        asked: Instant,
        until: Instant,
    ) -> Result<Arc<Token>, Error> {
        let mut renewal = timeout_at(until, self.renewal.lock())
            .await
            .map_err(|_| Error::Deadline {
                service: IAM,
                correlation_id: String::new(),
            })?;
        if let Some(token) = self.current() {
            let is_another = refused.is_none_or(|refused| !Arc::ptr_eq(refused, &token));
            if is_another && Instant::now() < token.expires_at {
                return Ok(token);
            }
        }
        if let Some((at, error)) = &renewal.failed
            && (*at >= asked || at.elapsed() < REST)
        {
            return Err(error.clone());
        }
        let refused_before = match refused {
            None => 0,
            Some(token) if token.is_proven() => 1,
            Some(token) => token.refused_before.saturating_add(1),
        };
        self.renew(&mut renewal, refused_before, until).await
    }

    async fn renew(
        &self,
        renewal: &mut Renewal,
        refused_before: u32,
        until: Instant,
    ) -> Result<Arc<Token>, Error> {
        let token = self.ask_with_a_good_key(renewal, refused_before, until).await;
        match token {
            Ok(token) => {
                let token = Arc::new(token);
                let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
                *current = Some(Arc::clone(&token));
                renewal.failed = None;
                if refused_before > 0 {
                    self.renewed_for_refusals.fetch_add(1, Ordering::Relaxed);
                }
                Ok(token)
            }
            Err(error) => {
                renewal.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Where IAM refuses the key, an operator may have put another into its file.
    async fn ask_with_a_good_key(
        &self,
        renewal: &mut Renewal,
        refused_before: u32,
        until: Instant,
    ) -> Result<Token, Error> {
        let refusal = match &renewal.refused {
            Some((at, error)) if at.elapsed() < REFUSED_FOR => error.clone(),
            _ => match self.ask(&renewal.key, refused_before, until).await {
                Err(error @ Error::ApiKeyRefused { .. }) => {
                    renewal.refused = Some((Instant::now(), error.clone()));
                    error
                }
                answer => return answer,
            },
        };
        let source = self.source.clone();
        let read = tokio::task::spawn_blocking(move || ApiKey::read(&source)).await;
        let Ok(Ok(key)) = read else {
            return Err(refusal);
        };
        if key.fingerprint == renewal.key.fingerprint {
            return Err(refusal);
        }
        tracing::info!("the API key was replaced in its file, and is used from now on");
        renewal.key = key;
        renewal.refused = None;
        let answer = self.ask(&renewal.key, refused_before, until).await;
        if let Err(error @ Error::ApiKeyRefused { .. }) = &answer {
            renewal.refused = Some((Instant::now(), error.clone()));
        }
        answer
    }

    async fn ask(&self, key: &ApiKey, refused_before: u32, until: Instant) -> Result<Token, Error> {
        let correlation_id = Uuid::new_v4().to_string();
        let form = secret_body::body(form(key));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, FORM);
        headers.insert(ACCEPT, JSON);
        if let Ok(value) = HeaderValue::from_str(&correlation_id) {
            headers.insert("transaction-id", value);
        }
        let mut back_off = BackOff::new(until);
        loop {
            let had_at = Instant::now();
            let message = Message {
                method: Method::POST,
                url: self.url.clone(),
                headers: headers.clone(),
                body: Some(form.clone()),
                is_secret: true,
            };
            let unavailable = |reason| Error::Unavailable {
                service: IAM,
                reason,
                correlation_id: correlation_id.clone(),
            };
            let (error, asked) = match self.http.send(message, back_off.patience()).await {
                Ok(answer) => match answer.status.as_u16() {
                    200..300 => match token(&answer, had_at, refused_before) {
                        Some(token) => return Ok(token),
                        None => (
                            Error::Unreadable {
                                service: IAM,
                                request: "token",
                                correlation_id: correlation_id.clone(),
                            },
                            None,
                        ),
                    },
                    400 | 401 | 403 => return Err(refused(&answer)),
                    status @ (408 | 429 | 500..) if status != 501 => (
                        unavailable(format!("it answered {status}")),
                        wait_of(&answer.headers),
                    ),
                    status => return Err(unavailable(format!("it answered {status}: see iam_url"))),
                },
                Err(failure) => (unavailable(failure.reason), None),
            };
            let Some(rest) = back_off.next(asked) else {
                return Err(error);
            };
            tracing::debug!(%error, ?rest, "a token is asked for again");
            sleep(rest).await;
        }
    }
}

/// How long the headers of an answer say to wait.
pub(super) fn wait_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    retry_after(text, OffsetDateTime::now_utc())
}

fn form(key: &ApiKey) -> LockedBuffer {
    let key = key.secret.expose_secret().as_bytes();
    let mut form = LockedBuffer::with_capacity(GRANT.len() + 3 * key.len());
    form.extend_from_slice(GRANT);
    for part in percent_encode(key, NON_ALPHANUMERIC) {
        form.extend_from_slice(part.as_bytes());
    }
    form
}

fn token(answer: &Answer, had_at: Instant, refused_before: u32) -> Option<Token> {
    let answer: TokenAnswer<'_> = serde_json::from_slice(answer.body.bytes()).ok()?;
    let bearer = Zeroizing::new(format!("Bearer {}", answer.access_token));
    let mut authorization = HeaderValue::from_str(&bearer).ok()?;
    authorization.set_sensitive(true);
    let lasts = Duration::from_secs(answer.expires_in).min(LONGEST);
    // Of a short life half is enough.
    let ahead = AHEAD.min(lasts / 2);
    Some(Token {
        authorization,
        had_at,
        renew_at: had_at + lasts.saturating_sub(ahead),
        expires_at: had_at + lasts,
        refused_before,
        proven: AtomicBool::new(false),
    })
}

fn refused(answer: &Answer) -> Error {
    let refused = serde_json::from_slice::<Refused>(answer.body.bytes()).ok();
    let word = |text: String| -> String {
        let is_of_a_word = |letter: &char| letter.is_ascii_alphanumeric() || "-_".contains(*letter);
        text.chars().filter(is_of_a_word).take(80).collect()
    };
    let (code, request) = refused.map_or_else(Default::default, |refused| {
        (word(refused.error_code), word(refused.context.request_id))
    });
    Error::ApiKeyRefused {
        code: if code.is_empty() {
            answer.status.as_u16().to_string()
        } else {
            code
        },
        request,
    }
}
