//! How much the clients of an adapter may have and do.

use std::num::NonZeroU32;

use super::Error;

/// The bounds that an administrator has set for an adapter; what has none is bounded by the server's own limits alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// The most keys: objects whose key bytes are here. With 0, no key is made or taken in.
    pub keys: Option<u64>,
    /// The most items of requests in a second, at each server.
    pub requests_per_second: Option<NonZeroU32>,
    /// The most connections at a time, of all of its certificates, at each server.
    pub connections: Option<NonZeroU32>,
}

impl Quota {
    /// The most keys that a quota can be set to.
    pub const MOST_KEYS: u64 = 1 << 53;

    /// Fails for more keys than [`MOST_KEYS`](Self::MOST_KEYS), and for no request a second or no connection: an adapter
    /// that is to serve nobody has no certificate.
    pub fn new(
        keys: Option<u64>,
        requests_per_second: Option<u32>,
        connections: Option<u32>,
    ) -> Result<Self, Error> {
        let positive = |number: Option<u32>, what| {
            number
                .map(|number| NonZeroU32::new(number).ok_or(Error::QuotaOfNone { what }))
                .transpose()
        };
        if let Some(found) = keys.filter(|keys| *keys > Self::MOST_KEYS) {
            return Err(Error::QuotaTooLarge { found });
        }
        Ok(Self {
            keys,
            requests_per_second: positive(requests_per_second, "requests a second")?,
            connections: positive(connections, "connections")?,
        })
    }

    /// Whether nothing is bounded.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_may_be_held_at_the_keys_that_it_has_and_not_be_shut_by_a_quota() {
        assert_eq!(Quota::new(Some(0), None, None).unwrap().keys, Some(0));
        assert!(Quota::new(None, Some(0), None).is_err());
        assert!(Quota::new(None, None, Some(0)).is_err());
        assert!(Quota::new(Some(u64::MAX), None, None).is_err());
        assert!(Quota::new(None, None, None).unwrap().is_none());
    }
}
