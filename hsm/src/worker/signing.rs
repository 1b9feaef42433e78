//! What a [`Device`] does with key pairs that sign.

use super::handle::{Device, unexpected};
use super::link::Link;
use super::protocol::{Operation, Reply};
use crate::Error;
use crate::signing_key::SigningKey;

impl Device {
    /// Makes a key pair on the token that signs and does nothing else: Ed25519, or ECDSA with P-256 where the device does not
    /// sign by that. The private key is sensitive and not extractable. It has signed once when this returns, and its
    /// signature was verified.
    ///
    /// Fails with [`Error::SigningKeyExists`] where a key has the label, and with [`Error::Unsupported`] where the device signs
    /// by neither.
    pub async fn make_signing_key(&self, label: &str) -> Result<SigningKey, Error> {
        let mut sent = false;
        let again = |_: &Link| {
            // Sent for the second time, because the worker ended: the first may have made the key.
            let operation = if sent {
                Operation::FindSigningKey(label.to_owned())
            } else {
                Operation::MakeSigningKey(label.to_owned())
            };
            sent = true;
            Ok(operation)
        };
        match self.call(again).await {
            // Looked for after a lost answer, and not there.
            Err(Error::SigningKeyNotFound { .. }) => {
                signing_key(self.ask(Operation::MakeSigningKey(label.to_owned())).await?)
            }
            made => signing_key(made?.reply),
        }
    }

    /// Finds a key pair that signs, and checks its attributes. It is never made here.
    ///
    /// Fails with [`Error::SigningKeyNotFound`] or [`Error::SigningKeyUnfit`].
    pub async fn signing_key(&self, label: &str) -> Result<SigningKey, Error> {
        signing_key(self.ask(Operation::FindSigningKey(label.to_owned())).await?)
    }

    /// Signs a message. What comes back was verified with the public key, in this process too.
    ///
    /// Fails with [`Error::SigningKeyNotFound`], and with [`Error::SigningKeyMismatch`] where another key has its label or
    /// signed in its place.
    pub async fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, Error> {
        let operation = Operation::Sign {
            key: key.clone(),
            message: message.to_vec(),
        };
        match self.ask(operation).await? {
            Reply::Signature(signature) if key.verifies(message, &signature) => Ok(signature),
            Reply::Signature(_) => Err(Error::SigningKeyMismatch {
                label: key.label.clone(),
            }),
            _ => Err(unexpected()),
        }
    }
}

fn signing_key(reply: Reply) -> Result<SigningKey, Error> {
    match reply {
        Reply::SigningKey(key) => Ok(key),
        _ => Err(unexpected()),
    }
}
