//! How a key that is on the device for a moment comes to be kept: under its root key, with its digest.

use std::sync::Arc;

use cryptoki::object::Attribute;

use super::kek::{self, RootKey};
use super::session::{Session, SessionObject};
use super::transport::{Transport, TransportKey};
use crate::Error;
use crate::key::KeyKind;
use crate::worker::protocol::Digest;
use crate::wrapped::Wrapped;

/// What is to be kept, decided before the key is there: its template depends on it.
pub(crate) struct Keeping {
    kind: KeyKind,
    template: Vec<Attribute>,
    /// The key leaves under this for its digest to be made; none where the device makes the digest.
    transport_key: Option<Arc<TransportKey>>,
}

impl Keeping {
    /// A key of this kind; with `digest` the device says its SHA-256, without it the key comes back transported as well.
    pub(crate) fn new(transport: &Transport, kind: KeyKind, digest: bool) -> Self {
        let transport_key = (!digest).then(|| transport.use_current());
        let template = match &transport_key {
            Some(transport_key) => transport_key.template(kind),
            None => kek::template(kind),
        };
        Self {
            kind,
            template,
            transport_key,
        }
    }

    /// What the key must be like.
    pub(crate) fn template(&self) -> &[Attribute] {
        &self.template
    }

    /// Wraps it under the root key. The transport key is to be held until the answer that uses it is on its way.
    pub(crate) fn keep(
        self,
        session: &Session,
        root: RootKey,
        key: &SessionObject<'_>,
    ) -> Result<(Wrapped, Digest, Option<Arc<TransportKey>>), Error> {
        let wrapped = root.wrap(session, key, self.kind)?;
        let digest = match &self.transport_key {
            Some(transport_key) => Digest::Key(transport_key.send(session, key, self.kind)?),
            None => Digest::Sha256(kek::digest(session, key)?),
        };
        Ok((wrapped, digest, self.transport_key))
    }
}
