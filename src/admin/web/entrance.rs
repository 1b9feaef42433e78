//! Who asks over HTTPS: the holder of a certificate, or the bearer of a token.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::super::refusal::{Kind, Refusal};
use super::super::{Administration, Caller};
use super::exchange;
use super::holders::{Holders, Refused};
use crate::adapter::{AccessToken, Fingerprint, SecretDigest};
use crate::custody::Actor;

/// Why somebody is not let in.
pub(super) enum NotLetIn {
    /// Their certificate is not, or is not any more.
    Certificate(Refused),
    /// Their token is not.
    Token(&'static str),
    /// They showed nothing.
    Nothing,
    /// It can't be told now.
    Unknown(Refusal),
}

/// The judge of each request.
pub(super) struct Entrance {
    pub(super) holders: Holders,
    pub(super) administration: Arc<Administration>,
}

impl Entrance {
    /// Who asks. A token counts only where no certificate was shown.
    pub(super) async fn caller(
        &self,
        certificate: Option<Fingerprint>,
        headers: &HeaderMap,
        peer: SocketAddr,
    ) -> Result<Caller, NotLetIn> {
        if let Some(fingerprint) = certificate {
            self.holders.refresh().await;
            let holder = self.holders.admit(&fingerprint, OffsetDateTime::now_utc());
            return holder
                .map(|holder| Caller::holder(holder, peer))
                .map_err(NotLetIn::Certificate);
        }
        let secret = bearer(headers).ok_or(NotLetIn::Nothing)?;
        let token = self.token(&secret).await?;
        Ok(Caller::bearer(Arc::new(token), peer))
    }

    /// The token of a secret, if it is in force.
    pub(super) async fn token(&self, secret: &str) -> Result<AccessToken, NotLetIn> {
        let found = self
            .administration
            .store()
            .access_token(SecretDigest::of(secret))
            .await;
        match found {
            Ok(Some(token)) if token.is_in_force(OffsetDateTime::now_utc()) => Ok(token),
            Ok(Some(_)) => Err(NotLetIn::Token("the access token has expired")),
            Ok(None) => Err(NotLetIn::Token("the access token is not known, or was revoked")),
            Err(error @ crate::store::Error::Tampered { .. }) => {
                let found = [error.to_string()];
                let recorded = self
                    .administration
                    .record_tampering_found_by(&found, &Actor::Unknown)
                    .await;
                Err(recorded.map_or_else(NotLetIn::Unknown, |()| {
                    NotLetIn::Token("the access token was changed by another hand")
                }))
            }
            Err(crate::store::Error::SealKeyMissing { .. }) => {
                let message = "the root key that seals the access token is out of reach";
                Err(NotLetIn::Unknown(Refusal::new(Kind::Unavailable, message)))
            }
            Err(error) => Err(NotLetIn::Unknown(error.into())),
        }
    }
}

/// The secret that the request shows: a token as it was given out, or as the exchange packed it.
fn bearer(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = shown.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let shown = shown.trim();
    Some(exchange::unpacked(shown).unwrap_or_else(|| Zeroizing::new(shown.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_as_it_was_given_out_or_as_it_was_packed() {
        let headers = |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        let packed = exchange::packed("clv_secret", 0, 1);
        for (value, secret) in [
            ("Bearer clv_secret", Some("clv_secret")),
            ("bearer  clv_secret ", Some("clv_secret")),
            ("Basic clv_secret", None),
            ("clv_secret", None),
            (&format!("Bearer {packed}"), Some("clv_secret")),
        ] {
            let found = bearer(&headers(value));
            assert_eq!(found.as_deref().map(String::as_str), secret, "{value}");
        }
        assert!(bearer(&HeaderMap::new()).is_none());
    }
}
