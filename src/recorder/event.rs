//! Events from what other modules know.

use crate::adapter::Caller;
use crate::custody::{Actor, AdapterFacts, Event, EventName, Origin};

/// An event that a KMIP client brought about: with actor, origin and adapter filled in.
pub fn by_client(name: EventName, caller: &Caller) -> Event {
    let actor = Actor::Client {
        certificate: caller.certificate.to_string(),
        subject: caller.subject.clone(),
        issuer: caller.issuer.clone(),
        serial: caller.serial.clone(),
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
