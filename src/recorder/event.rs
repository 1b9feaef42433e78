//! Events from what other modules know.

use crate::adapter::{Administrator, Caller, RootKey};
use crate::custody::{Actor, AdapterFacts, Approver, Event, EventName, Origin, RootKeyFacts};

/// An event that a KMIP client brought about: with actor, origin and adapter filled in.
pub fn by_client(name: EventName, caller: &Caller) -> Event {
    let actor = Actor::Client {
        certificate: caller.certificate.to_string(),
        subject: caller.subject.clone(),
        issuer: caller.issuer.clone(),
        serial: caller.serial.clone(),
        user: None,
    };
    let mut event = Event::new(name, actor);
    event.origin = Some(Origin {
        address: caller.origin.address,
        port: caller.origin.port,
        tls_version: Some(caller.origin.tls_version.clone()),
    });
    event.adapter = Some(AdapterFacts {
        id: caller.adapter.uuid(),
        name: caller.adapter_name.clone(),
    });
    event
}

/// What a record says of who approved of it.
pub fn approver(administrator: &Administrator) -> Approver {
    Approver {
        uid: administrator.uid,
        user: administrator.user.clone(),
        certificate: administrator.certificate.clone(),
    }
}

/// What a record says of a root key at its version.
pub fn root_key_facts(root_key: &RootKey) -> RootKeyFacts {
    RootKeyFacts {
        id: root_key.id.uuid(),
        backend: root_key.backend.clone(),
        token_serial: root_key.token_serial.clone(),
        label: root_key.label.clone(),
        version: root_key.version,
        wrap_profile: None,
        release_profile: None,
    }
}
