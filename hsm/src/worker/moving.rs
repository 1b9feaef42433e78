//! What a [`Device`] does with root keys that come from elsewhere, and with those that go along with keys to another device.

use super::handle::{Device, root_key, unexpected};
use super::protocol::{OaepHash, Operation, Reply, TokenChange};
use crate::Error;
use crate::key::{RootKeyFacts, RootKeyLocator, RsaPublicKey, WrappedRootKey};
use crate::wrapped::WrapProfile;

impl Device {
    /// Makes an RSA pair on the token, under which a root key can be brought there once, and gives out the public key. The
    /// private key is sensitive, never extractable, and unwraps only. One of an earlier time under the label is destroyed.
    pub async fn offer_take_in(&self, label: &str) -> Result<RsaPublicKey, Error> {
        match self
            .ask(Operation::Change(TokenChange::OfferTakeIn(label.to_owned())))
            .await?
        {
            Reply::PublicKey(key) => Ok(key),
            _ => Err(unexpected()),
        }
    }

    /// Destroys the RSA pair of [`offer_take_in`](Self::offer_take_in). That it is not there is success.
    pub async fn withdraw_take_in(&self, label: &str) -> Result<(), Error> {
        self.ask(Operation::Change(TokenChange::WithdrawTakeIn(label.to_owned())))
            .await
            .map(|_| ())
    }

    /// Takes in an AES-256 key that comes under the RSA pair of this label, by RSA-OAEP with SHA-256 or SHA-1, as a root key:
    /// sensitive, not extractable, not modifiable. The RSA pair is destroyed.
    ///
    /// Fails with [`Error::RootKeyExists`] where the label or the identifier is taken, with [`Error::RootKeyNotFound`] where
    /// there is no such RSA pair, and with [`Error::WrappedKeyRefused`] where the device does not take what came.
    pub async fn take_in(
        &self,
        label: &str,
        wrapped: &WrappedRootKey,
        locator: &RootKeyLocator,
    ) -> Result<RootKeyFacts, Error> {
        self.take_in_for(None, label, wrapped, locator).await
    }

    /// The same of a key that others come under, wrapped by this profile.
    async fn take_in_for(
        &self,
        profile: Option<WrapProfile>,
        label: &str,
        wrapped: &WrappedRootKey,
        locator: &RootKeyLocator,
    ) -> Result<RootKeyFacts, Error> {
        let change = TokenChange::TakeIn {
            label: label.to_owned(),
            wrapped: wrapped.clone(),
            root: locator.clone(),
            profile,
        };
        root_key(self.ask(Operation::Change(change)).await?)
    }

    /// Gives another device a key in common with this one, so that keys can be re-wrapped from a root key here to one there:
    /// made here, brought there under an RSA pair of that device's, closed like a root key on both. It is for the time of a
    /// move, and to be destroyed on both afterwards. A key of an earlier time under the locator is destroyed.
    ///
    /// Fails with [`Error::NoWrapProfile`] where the other device does not know the profile by which this one wraps.
    ///
    /// What is returned are its facts on this device and on the other; the check values are the same.
    pub async fn share_key_with(
        &self,
        other: &Self,
        locator: &RootKeyLocator,
    ) -> Result<[RootKeyFacts; 2], Error> {
        let mut outcome = Err(unexpected());
        // A hash that either of them refuses is no use; see `TransportRecipient` for why SHA-1 will do.
        for hash in [OaepHash::Sha256, OaepHash::Sha1] {
            outcome = self.share_by(other, locator, hash).await;
            match &outcome {
                Ok(facts) if facts[0].check_value == facts[1].check_value => return outcome,
                Ok(_) => {
                    outcome = Err(Error::RootKeyUnfit {
                        locator: locator.to_string(),
                        reason: "the two devices do not agree on its check value".to_owned(),
                    });
                }
                Err(error) if error.is_retryable() || matches!(error, Error::NoWrapProfile { .. }) => break,
                Err(_) => {}
            }
        }
        self.destroy_root_key(locator).await?;
        other.destroy_root_key(locator).await?;
        other.withdraw_take_in(&locator.label).await?;
        outcome
    }

    async fn share_by(
        &self,
        other: &Self,
        locator: &RootKeyLocator,
        hash: OaepHash,
    ) -> Result<[RootKeyFacts; 2], Error> {
        self.destroy_root_key(locator).await?;
        other.destroy_root_key(locator).await?;
        let recipient = other.offer_take_in(&locator.label).await?;
        let change = TokenChange::GiveOut {
            root: locator.clone(),
            recipient,
            hash,
        };
        let Reply::GivenOut {
            facts,
            wrapped,
            profile,
        } = self.ask(Operation::Change(change)).await?
        else {
            return Err(unexpected());
        };
        // What narrows the key there must allow what this device wraps by.
        let taken_in = other
            .take_in_for(Some(profile), &locator.label, &wrapped, locator)
            .await?;
        Ok([facts, taken_in])
    }
}
