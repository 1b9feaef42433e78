//! Aliases: names of keys that are unique in the instance.

use hyper::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::calls::actions::not_in;
use crate::calls::request::Request;
use crate::calls::{Reply, form};
use crate::model::{Alias, Key, State, Touched};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::store::State as Everything;

/// At most so many for a key.
const MOST: usize = 5;
/// Parts of the interface's paths can't be aliases.
const RESERVED: [&str; 16] = [
    "allowed_ip",
    "key",
    "keys",
    "metadata",
    "policy",
    "policies",
    "registration",
    "registrations",
    "ring",
    "rings",
    "rotate",
    "wrap",
    "unwrap",
    "rewrap",
    "version",
    "versions",
];

pub(super) async fn create(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let alias = request.target.alias.clone();
    let created = Touched {
        at: request.now,
        by: request.identity.id.clone(),
    };
    let key = service.store.change(|state| {
        let mut key = Key::clone(&*request.key(state)?);
        must_not_be_deleted(&key)?;
        must_be_free(state, std::slice::from_ref(&alias))?;
        if key.aliases.len() == MOST {
            return Err(Refusal::too_many_aliases());
        }
        key.updated = request.now;
        key.aliases.push(Alias {
            alias: alias.clone(),
            created: created.clone(),
        });
        state.put_key(key.clone());
        Ok(key)
    });
    let resource = json!({
        "keyId": key.await?.id,
        "alias": alias,
        "createdBy": created.by,
        "creationDate": form::date(created.at),
    });
    let kind = "application/vnd.ibm.kms.key.alias+json";
    Ok(Reply::new(
        StatusCode::CREATED,
        form::collection(kind, vec![resource]),
    ))
}

pub(super) async fn delete(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let deleted = service.store.change(|state| {
        let mut key = Key::clone(&*request.key(state)?);
        let before = key.aliases.len();
        key.aliases.retain(|alias| alias.alias != request.target.alias);
        if key.aliases.len() == before {
            return Err(Refusal::alias_not_found());
        }
        key.updated = request.now;
        state.put_key(key);
        Ok(())
    });
    deleted.await?;
    Ok(Reply::no_content())
}

/// Refuses aliases that can't be, or that a key has, and one that is there twice.
pub(super) fn must_be_free(state: &Everything, aliases: &[String]) -> Result<(), Refusal> {
    if aliases.len() > MOST {
        return Err(Refusal::too_many_aliases());
    }
    for (place, alias) in aliases.iter().enumerate() {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let possible = (2..=90).contains(&alias.len())
            && alias.chars().all(plain)
            && Uuid::parse_str(alias).is_err()
            && !RESERVED.contains(&alias.as_str());
        if !possible {
            let expected =
                "2 to 90 letters, digits, '-' and '_' are expected, and no UUID and no reserved name";
            return Err(Refusal::invalid_field("aliases", expected));
        }
        if state.alias_is_taken(alias) || aliases[..place].contains(alias) {
            return Err(Refusal::alias_not_unique());
        }
    }
    Ok(())
}

fn must_not_be_deleted(key: &Key) -> Result<(), Refusal> {
    match key.state {
        State::Destroyed => Err(not_in(key.state)),
        _ => Ok(()),
    }
}
