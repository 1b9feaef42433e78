//! What `claviger doctor` tells beside what [`examine`](super::KeyProtectBackend::examine) tries: the way to the service, its
//! clock, and what the service says of a root key.

use reqwest::Method;
use reqwest::header::{DATE, HeaderMap};
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use super::backend::KeyProtectBackend;
use super::identity::Identity;
use super::wire::{Key, Registration};
use super::{Error, Refusal};
use crate::adapter::RootKey;

/// That the service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Which of the two it is.
    pub product: &'static str,
    /// How far the clock of this machine is ahead of the service's; none where that says no time.
    pub clock_ahead: Option<Duration>,
}

/// What the service says of a root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The key.
    pub key: Key,
    /// How often the service rotates it by itself, in months; none where it does not, or where the service ID may not see that.
    pub rotated_every: Option<u32>,
    /// What else of the cloud it protects.
    pub registrations: Vec<Registration>,
}

impl KeyProtectBackend {
    /// Asks the service for nothing, without a token: whatever it answers, the way is right.
    pub async fn reach(&self) -> Result<Reached, Error> {
        let client = &self.inner.client;
        let headers = client.reach(Method::GET, &["keys"]).await?;
        Ok(Reached {
            product: client.product(),
            clock_ahead: clock_ahead(&headers, OffsetDateTime::now_utc()),
        })
    }

    /// What the service says of the root key.
    pub async fn facts(&self, root_key: &RootKey) -> Result<Facts, Error> {
        let id = Identity::of(root_key, &self.inner.config.instance_id)?.key;
        let service = self.inner.client.begin().await?;
        let key = service.key(&id.to_string()).await?;
        // The examination says which role is lacking.
        let allowed = |error: &Error| matches!(error, Error::Refused(Refusal { status: 403, .. }));
        let rotated_every = match service.rotation_interval(id).await {
            Err(error) if allowed(&error) => None,
            interval => interval?,
        };
        let registrations = match service.registrations(id).await {
            Err(error) if allowed(&error) => Vec::new(),
            registrations => registrations?,
        };
        Ok(Facts {
            key,
            rotated_every,
            registrations,
        })
    }
}

fn clock_ahead(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let there = OffsetDateTime::parse(date, &Rfc2822).ok()?;
    Some(now - there)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_clock_that_is_off_is_seen_in_what_the_service_dates_its_answer() {
        let mut headers = HeaderMap::new();
        let now = datetime!(2026-01-02 03:10:00 UTC);
        assert_eq!(clock_ahead(&headers, now), None);
        headers.insert(DATE, HeaderValue::from_static("Fri, 02 Jan 2026 03:00:00 GMT"));
        assert_eq!(clock_ahead(&headers, now), Some(Duration::minutes(10)));
    }
}
