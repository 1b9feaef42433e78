//! Who asks something of the interface, by whichever way they came in, and what they may do.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Peer;
use super::refusal::{Kind, Refusal};
use super::web::Holder;
use crate::adapter::{AccessToken, AdapterId, Administrator, Role};
use crate::custody::{Actor, Event, EventName, Origin};

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    who: Who,
    /// Over the network from where; none over the socket.
    peer: Option<SocketAddr>,
}

#[derive(Clone, Debug)]
enum Who {
    /// A user of this machine who is let in at the socket.
    User(Peer),
    /// The holder of a certificate that is let in over HTTPS.
    Holder(Arc<Holder>),
    /// The bearer of an access token.
    Bearer(Arc<AccessToken>),
}

impl Caller {
    /// A user of this machine, who may do everything.
    pub(super) const fn user(peer: Peer) -> Self {
        Self {
            who: Who::User(peer),
            peer: None,
        }
    }

    pub(super) const fn holder(holder: Arc<Holder>, peer: SocketAddr) -> Self {
        Self {
            who: Who::Holder(holder),
            peer: Some(peer),
        }
    }

    pub(super) const fn bearer(token: Arc<AccessToken>, peer: SocketAddr) -> Self {
        Self {
            who: Who::Bearer(token),
            peer: Some(peer),
        }
    }

    pub(super) fn role(&self) -> Role {
        match &self.who {
            Who::User(_) => Role::Administrator,
            Who::Holder(holder) => holder.role,
            Who::Bearer(token) => token.role,
        }
    }

    /// The adapters that they may see; none where they may see all, and what is of no adapter.
    pub(super) fn adapters(&self) -> Option<&[AdapterId]> {
        match &self.who {
            Who::Bearer(token) => token.adapters.as_deref(),
            _ => None,
        }
    }

    /// Whether they came over the network.
    pub(super) const fn is_remote(&self) -> bool {
        self.peer.is_some()
    }

    /// Their name for people.
    pub(super) fn name(&self) -> String {
        match &self.who {
            Who::User(peer) => peer.user.clone(),
            Who::Holder(holder) => holder.subject.clone(),
            Who::Bearer(token) => format!("token {}", token.name),
        }
    }

    pub(super) fn actor(&self) -> Actor {
        match &self.who {
            Who::User(peer) => Actor::Administrator {
                uid: peer.uid,
                user: peer.user.clone(),
            },
            Who::Holder(holder) => holder.actor(),
            Who::Bearer(token) => Actor::Token {
                id: token.id,
                name: token.name.clone(),
                role: token.role.name().to_owned(),
            },
        }
    }

    /// An event of theirs.
    pub(super) fn event(&self, name: EventName) -> Event {
        let mut event = Event::new(name, self.actor());
        event.origin = self.peer.map(origin);
        event
    }

    /// The person, for what two have to agree on. A token is none: whoever has it can be anybody.
    pub(super) fn person(&self) -> Result<Administrator, Refusal> {
        match &self.who {
            Who::User(peer) => Ok(Administrator {
                uid: Some(peer.uid),
                user: peer.user.clone(),
                certificate: None,
            }),
            Who::Holder(holder) => Ok(Administrator {
                uid: None,
                user: holder.subject.clone(),
                certificate: Some(holder.fingerprint.to_string()),
            }),
            Who::Bearer(token) => {
                let message = format!(
                    "this needs a person who is known by a certificate or as a user of the server's machine, and the token \
                     {:?} came",
                    token.name
                );
                Err(Refusal::new(Kind::NotAdmitted, message).remedy(
                    "ask for it at the administration socket, or with an administrator's certificate",
                ))
            }
        }
    }
}

/// Where somebody came from, over TLS of the one version that is spoken there.
pub(super) fn origin(peer: SocketAddr) -> Origin {
    Origin {
        address: peer.ip().to_canonical(),
        port: peer.port(),
        tls_version: Some("TLSv1.3".into()),
    }
}
