//! Requests to the service: each with a token, a deadline, as many tries as fit in it, and the circuit breaker in front.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use claviger_hsm::Healing;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::address::Address;
use super::breaker::Breaker;
use super::http::{Answer, Failure, Http, Message};
use super::iam::{Iam, wait_of};
use super::limit::{Limit, Place};
use super::measure::Measures;
use super::refusal::{Kind, Refusal};
use super::retry::BackOff;
use super::wire::{Collection, ErrorResource};
use super::{Error, KeyProtectConfig};

const INSTANCE: HeaderName = HeaderName::from_static("bluemix-instance");
const CORRELATION: HeaderName = HeaderName::from_static("correlation-id");
const KEY_RING: HeaderName = HeaderName::from_static("x-kms-key-ring");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const REPRESENTATION: HeaderValue = HeaderValue::from_static("return=representation");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A try that had so long, and was not answered, is a failure of the service.
const FAIR: Duration = Duration::from_secs(1);

/// One instance of the service.
pub(super) struct Client {
    name: String,
    http: Http,
    address: Address,
    iam: Arc<Iam>,
    /// What every request has.
    headers: HeaderMap,
    deadline: Duration,
    limit: Limit,
    circuit: Mutex<Circuit>,
    repeated: AtomicU64,
    returned: AtomicU64,
    measures: Measures,
}

#[derive(Default)]
struct Circuit {
    breaker: Breaker,
    /// What the service failed with last.
    trouble: String,
}

/// A request.
pub(super) struct Request<'a> {
    /// What it is called in errors and in the log, such as `wrap`.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// The segments behind the address of the API.
    pub(super) path: &'a [&'a str],
    pub(super) query: Vec<(&'static str, String)>,
    /// The body, and its type.
    pub(super) body: Option<(&'static str, Bytes)>,
    /// Whether the answer may have a key in it.
    pub(super) is_secret: bool,
    /// Whether carrying it out twice does no harm.
    pub(super) is_repeatable: bool,
    /// Whether keys of every key ring are meant, whatever the configuration names.
    pub(super) in_any_key_ring: bool,
}

impl<'a> Request<'a> {
    /// A request that changes nothing.
    pub(super) fn get(name: &'static str, path: &'a [&'a str]) -> Self {
        Self {
            name,
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
            is_secret: false,
            is_repeatable: true,
            in_any_key_ring: false,
        }
    }

    /// A request without a body that may be repeated.
    pub(super) fn post(name: &'static str, path: &'a [&'a str]) -> Self {
        Self {
            method: Method::POST,
            ..Self::get(name, path)
        }
    }
}

/// What came of one try.
enum Outcome<T> {
    Done(T),
    /// The token was not accepted.
    Unauthorized(Error),
    /// No other try would change that.
    Refused(Error),
    /// It may work at another try, where there may be one: after so long, if the service says it.
    Later {
        error: Error,
        wait: Option<Duration>,
        may_repeat: bool,
    },
}

impl Client {
    /// Fails where the configuration can't be used. Asks nobody.
    pub(super) fn new(config: &KeyProtectConfig) -> Result<Self, Error> {
        let http = Http::new(config)?;
        let mut headers = HeaderMap::new();
        headers.insert(INSTANCE, header("instance_id", &config.instance_id)?);
        if let Some(key_ring) = &config.key_ring {
            headers.insert(KEY_RING, header("key_ring", key_ring)?);
        }
        headers.insert(ACCEPT, JSON);
        headers.insert(PREFER, REPRESENTATION);
        Ok(Self {
            name: config.name.clone(),
            address: Address::parse(&config.url)?,
            iam: Iam::new(config, http.clone())?,
            http,
            headers,
            deadline: config.deadline,
            limit: Limit::new(config.requests),
            circuit: Mutex::default(),
            repeated: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            measures: Measures::default(),
        })
    }

    /// Begins something that takes one request or a few one after another, within the deadline.
    ///
    /// Fails with [`Error::Busy`] where too much is under way.
    pub(super) async fn begin(&self) -> Result<Service<'_>, Error> {
        let until = Instant::now() + self.deadline;
        Ok(Service {
            client: self,
            until,
            _place: self.limit.enter(until).await?,
        })
    }

    /// Sends one request without a token, once, and returns the headers of whatever is answered.
    pub(super) async fn reach(&self, method: Method, path: &[&str]) -> Result<HeaderMap, Error> {
        let message = Message {
            method,
            url: self.address.at(path, &[]),
            headers: self.headers.clone(),
            body: None,
            is_secret: false,
        };
        let answer = self.http.send(message, self.deadline).await;
        answer
            .map(|answer| answer.headers)
            .map_err(|failure| Error::Unavailable {
                service: self.product(),
                reason: failure.reason,
                correlation_id: String::new(),
            })
    }

    /// Which of the two services it is.
    pub(super) fn product(&self) -> &'static str {
        self.address.product()
    }

    /// How much is under way.
    pub(super) fn under_way(&self) -> usize {
        self.limit.under_way()
    }

    /// Whether the service is given up for now.
    pub(super) fn is_away(&self) -> bool {
        self.circuit().breaker != Breaker::Closed
    }

    /// What was done so that the service serves again: tokens that were renewed because they were refused, and requests that
    /// were repeated; as modules count the times that the service came back.
    pub(super) fn healing(&self) -> Healing {
        Healing {
            sessions: self.iam.renewed_for_refusals(),
            modules: self.returned.load(Ordering::Relaxed),
            workers: 0,
            requests: self.repeated.load(Ordering::Relaxed),
        }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        // Every state of it is a valid one.
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self) -> Result<(), Error> {
        let mut circuit = self.circuit();
        if circuit.breaker.admits(Instant::now()) {
            return Ok(());
        }
        Err(Error::Unavailable {
            service: self.product(),
            reason: circuit.trouble.clone(),
            correlation_id: String::new(),
        })
    }

    fn answered(&self) {
        if self.circuit().breaker.answered() {
            self.returned.fetch_add(1, Ordering::Relaxed);
            tracing::info!(backend = %self.name, "{} answers again", self.product());
        }
    }

    fn failed(&self, reason: &str) {
        let mut circuit = self.circuit();
        reason.clone_into(&mut circuit.trouble);
        if circuit.breaker.failed(Instant::now()) {
            drop(circuit);
            tracing::error!(
                backend = %self.name, reason,
                "{} is away: requests are refused at once until it answers again", self.product()
            );
        }
    }

    /// What an answer means. The service has answered, or a machine before it that can't reach it.
    fn judge<T>(
        &self,
        request: &Request<'_>,
        answer: &Answer,
        correlation_id: &str,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Outcome<T> {
        let status = answer.status.as_u16();
        if answer.status.is_success() {
            if let Some(done) = read(answer.body.bytes()) {
                self.answered();
                return Outcome::Done(done);
            }
            self.failed("its answers can't be understood");
            return Outcome::Later {
                error: Error::Unreadable {
                    service: self.product(),
                    request: request.name,
                    correlation_id: correlation_id.to_owned(),
                },
                wait: None,
                may_repeat: request.is_repeatable,
            };
        }
        let code = reason_code(answer.body.bytes());
        if matches!(status, 408 | 500..) && status != 501 {
            let reason = format!("it answered {status} {code}").trim_end().to_owned();
            self.failed(&reason);
            return Outcome::Later {
                error: self.unavailable(reason, correlation_id),
                wait: wait_of(&answer.headers),
                may_repeat: request.is_repeatable || status == 503,
            };
        }
        self.answered();
        let refusal = Error::Refused(Refusal {
            kind: Kind::of(status, &code),
            request: request.name,
            status,
            code,
            correlation_id: correlation_id.to_owned(),
        });
        match refusal.kind() {
            Some(Kind::Unauthorized) => Outcome::Unauthorized(refusal),
            Some(Kind::RateLimited) => Outcome::Later {
                error: refusal,
                wait: wait_of(&answer.headers),
                may_repeat: true,
            },
            _ => Outcome::Refused(refusal),
        }
    }

    fn not_answered<T>(
        &self,
        request: &Request<'_>,
        failure: Failure,
        patience: Duration,
        correlation_id: &str,
    ) -> Outcome<T> {
        // What had little time left says nothing of the service.
        if !failure.is_timeout || patience >= FAIR.min(self.deadline / 4) {
            self.failed(&failure.reason);
        }
        let may_repeat = request.is_repeatable || failure.was_not_sent;
        let error = if failure.is_timeout && !failure.was_not_sent {
            self.late(correlation_id)
        } else {
            self.unavailable(failure.reason, correlation_id)
        };
        Outcome::Later {
            error,
            wait: None,
            may_repeat,
        }
    }

    fn late(&self, correlation_id: &str) -> Error {
        Error::Deadline {
            service: self.product(),
            correlation_id: correlation_id.to_owned(),
        }
    }

    fn unavailable(&self, reason: String, correlation_id: &str) -> Error {
        Error::Unavailable {
            service: self.product(),
            reason,
            correlation_id: correlation_id.to_owned(),
        }
    }
}

/// A place at the service, and the time by which all must be done.
pub(super) struct Service<'a> {
    client: &'a Client,
    until: Instant,
    _place: Place<'a>,
}

impl Service<'_> {
    /// Sees that there is a token.
    pub(super) async fn token(&self) -> Result<(), Error> {
        self.client.iam.token(self.until).await.map(|_| ())
    }

    /// Asks, and reads the body of the answer; `read` gives none for what it does not understand. It is measured.
    pub(super) async fn call<T>(
        &self,
        request: Request<'_>,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, Error> {
        let asked = self.client.measures.ask(&self.client.name, request.name);
        let answer = self.try_until_done(request, read).await;
        asked.ended(&answer);
        answer
    }

    async fn try_until_done<T>(
        &self,
        request: Request<'_>,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, Error> {
        let client = self.client;
        let correlation_id = Uuid::new_v4().to_string();
        let mut back_off = BackOff::new(self.until);
        let mut was_unauthorized = false;
        loop {
            client.admit()?;
            let token = client.iam.token(self.until).await?;
            let message = self.message(&request, &token.authorization, &correlation_id)?;
            let patience = if request.is_repeatable {
                back_off.patience()
            } else {
                self.until.saturating_duration_since(Instant::now())
            };
            if patience.is_zero() {
                // The time went by while a token was waited for.
                return Err(client.late(&correlation_id));
            }
            let outcome = match client.http.send(message, patience).await {
                Ok(answer) => client.judge(&request, &answer, &correlation_id, &read),
                Err(failure) => client.not_answered(&request, failure, patience, &correlation_id),
            };
            let (error, wait) = match outcome {
                Outcome::Done(done) => {
                    token.prove();
                    tracing::trace!(backend = %client.name, request = request.name, correlation_id, "done");
                    return Ok(done);
                }
                Outcome::Refused(error) => {
                    token.prove();
                    tracing::debug!(backend = %client.name, %error);
                    return Err(error);
                }
                Outcome::Unauthorized(error) => {
                    if client.iam.instead_of(&token, self.until).await?.is_none() {
                        return Err(error);
                    }
                    // One is renewed at once. That the new one is old again before it is used is no everyday matter.
                    if !was_unauthorized {
                        was_unauthorized = true;
                        client.repeated.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    (error, None)
                }
                Outcome::Later {
                    error,
                    wait,
                    may_repeat: true,
                } => (error, wait),
                Outcome::Later { error, .. } => return Err(error),
            };
            // While the service is given up a request is one try at the most.
            let is_given_up = client.circuit().breaker.is_open();
            let Some(rest) = back_off.next(wait).filter(|_| !is_given_up) else {
                return Err(error);
            };
            tracing::debug!(backend = %client.name, %error, ?rest, "a request is tried again");
            client.repeated.fetch_add(1, Ordering::Relaxed);
            sleep(rest).await;
        }
    }

    fn message(
        &self,
        request: &Request<'_>,
        authorization: &HeaderValue,
        correlation_id: &str,
    ) -> Result<Message, Error> {
        let mut headers = self.client.headers.clone();
        if request.in_any_key_ring {
            headers.remove(KEY_RING);
        }
        headers.insert(AUTHORIZATION, authorization.clone());
        headers.insert(CORRELATION, header("correlation-id", correlation_id)?);
        let body = request.body.as_ref().map(|(kind, bytes)| {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            bytes.clone()
        });
        Ok(Message {
            method: request.method.clone(),
            url: self.client.address.at(request.path, &request.query),
            headers,
            body,
            is_secret: request.is_secret,
        })
    }
}

fn header(what: &'static str, text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|_| Error::Configuration {
        what,
        reason: "it has letters that no header can have".to_owned(),
    })
}

/// The service's code for a refusal: one word, whatever was sent in its place.
fn reason_code(body: &[u8]) -> String {
    let errors: Option<Collection<ErrorResource>> = serde_json::from_slice(body).ok();
    let code = errors
        .into_iter()
        .flat_map(|errors| errors.resources)
        .flat_map(|resource| resource.reasons)
        .map(|reason| reason.code)
        .next()
        .unwrap_or_default();
    let is_of_a_word = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    code.chars().filter(is_of_a_word).take(80).collect()
}
