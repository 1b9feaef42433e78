//! Import (KMIP 1.4, section 4.41; KMIP 2.1, section 6.1.25): an object that comes with its identifier, its dates and
//! whatever else is known of it, new or in the place of one that has the identifier.
//!
//! Identifiers are one space for all adapters. One that is taken is answered in one way, whoever has it: an object of the
//! adapter that is not to be replaced, an object of another user or of another adapter, a template that is gone.

use uuid::Uuid;

use super::item::{Commit, Item};
use super::refusal::Refusal;
use super::taking::{Arrived, Identity};
use super::{make, names, shaping};
use crate::key::{self, Carried};
use crate::kmip::enumeration::KeyWrapType;
use crate::kmip::payload::{ImportRequest, ImportResponse, UniqueIdentifier};
use crate::store::{Change, KeyRow};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: ImportRequest<'_>,
) -> Result<ImportResponse, Refusal> {
    let id = identifier(item, request.unique_identifier)?;
    let existing = item
        .replaceable(id, request.replace_existing == Some(true))
        .await?;
    let object_type = request.object.object_type();
    if request.object_type.is_some_and(|told| told != object_type) {
        return Err(Refusal::other_object_type());
    }
    let unwraps = match request.key_wrap_type {
        None | Some(KeyWrapType::AsRegistered) => false,
        Some(KeyWrapType::NotWrapped) => true,
        Some(KeyWrapType::Other(_)) => return Err(Refusal::key_wrapping()),
    };
    let attributes = key::merge(Vec::new(), request.attributes.0);
    let (carried, attributes) = Carried::part(attributes.map_err(|error| make::of_attribute(&error))?);
    let identity = Identity {
        id,
        adapter: item.caller.adapter,
        now: item.now(),
    };
    let arrived = Arrived::new(identity, request.object, attributes)?;
    let mut arrived = arrived.carry(&carried, identity.now)?;
    if unwraps {
        arrived = arrived.unwrapping();
    }
    let names = arrived.names();
    let _held = names::hold(item, &names).await;
    names::require_free(item, &names, Some(id), Refusal::name_of_new_taken).await?;
    let (mut object, wrapped) = arrived.seal(item).await?;
    carried
        .complete(&mut object, identity.now)
        .map_err(|error| make::of_attribute(&error))?;
    object.give_to(item.user);
    shaping::require_allowed(item, &object).await?;
    item.becomes(&object);
    let mut changes: Vec<_> = wrapped
        .iter()
        .map(|wrapped| Change::UseRootKey(wrapped.root_key))
        .collect();
    let replaces = existing.is_some();
    changes.push(match existing {
        None => Change::create_key(KeyRow::new(object, wrapped)),
        Some(mut row) => {
            item.replaces(&row.object, row.wrapped.as_ref()).await;
            item.detail("replaces", "the object of this identifier");
            (row.object, row.wrapped) = (object, wrapped);
            Change::update_key(row)
        }
    });
    match item.commit(changes).await? {
        Commit::Done => {
            item.placeholder.fill(id);
            Ok(ImportResponse {
                unique_identifier: id.hyphenated().to_string(),
            })
        }
        Commit::Conflict if replaces => Err(Refusal::busy()),
        // Somebody was quicker to take it.
        Commit::Conflict => Err(Refusal::identifier_taken()),
    }
}

/// The identifier that the object is to have.
fn identifier(item: &mut Item<'_>, asked: UniqueIdentifier<'_>) -> Result<Uuid, Refusal> {
    let meant = item.meant(Some(asked));
    let UniqueIdentifier::Text(text) = asked else {
        return meant;
    };
    meant
        .ok()
        .filter(|id| id.hyphenated().to_string() == text)
        .ok_or_else(Refusal::identifier_form)
}
