//! What Create and Register have in common: templates, names, the root key.

use std::sync::Arc;

use uuid::Uuid;

use super::item::{Commit, Item};
use super::names;
use super::refusal::{AttributeUse, Refusal};
use super::shaping;
use crate::adapter::RootKey;
use crate::key::{self, KeyDraft, ManagedObject, WrappedKek};
use crate::kmip::attribute::{Attribute, Name};
use crate::kmip::object::TemplateAttribute;
use crate::root_key::{self, KeySpecification};
use crate::store::{Change, KeyRow, WrappedUnder};

/// The attributes of a new object: those of the request, and those that the templates it names lend.
pub(super) async fn attributes(
    item: &Item<'_>,
    request: TemplateAttribute,
) -> Result<Vec<Attribute>, Refusal> {
    let mut templates = Vec::with_capacity(request.names.len());
    for name in &request.names {
        let template = names::find(item, name, |object| object.lent().is_some());
        let template = template.await?;
        if template.as_ref().is_some_and(|row| row.object.is_archived()) {
            return Err(Refusal::archived());
        }
        let lent = template
            .and_then(|row| row.object.lent().cloned())
            .ok_or_else(|| Refusal::no_template(name))?;
        templates.push(lent);
    }
    key::merge(templates, request.attributes).map_err(|error| of_attribute(&error))
}

/// An attribute of a new object is refused.
pub(super) fn of_attribute(error: &key::AttributeError) -> Refusal {
    Refusal::of_attribute(error, AttributeUse::Making)
}

/// Refuses names that are taken. To be asked while they are held.
pub(super) async fn require_free(item: &Item<'_>, names: &[Name]) -> Result<(), Refusal> {
    names::require_free(item, names, None, Refusal::name_of_new_taken).await
}

/// Refuses a key more than the adapter may have, before the device makes it. What counts is the commit: others may be making
/// keys at the same time.
pub(super) async fn require_room(item: &Item<'_>) -> Result<(), Refusal> {
    let adapter = item.caller.adapter;
    if item.services.quota(adapter).await?.keys.is_none() {
        return Ok(());
    }
    let found = item.services.store.quota(adapter).await;
    let found = found.map_err(|error| Refusal::of_store(&error))?;
    match found.and_then(|found| found.full()) {
        None => Ok(()),
        Some(most) => Err(Refusal::key_quota(most)),
    }
}

/// The root key that a new key goes under.
pub(super) async fn root_key(item: &mut Item<'_>) -> Result<Arc<RootKey>, Refusal> {
    let root_key = item.services.root_key_of(item.caller.adapter).await?;
    item.uses(&root_key, root_key.version, None);
    Ok(root_key)
}

/// What a device has to know of a key that is there. What is no key is not found by who asks for one.
pub(super) fn specification(object: &ManagedObject) -> Result<KeySpecification, Refusal> {
    root_key::specification(object).ok_or_else(Refusal::not_found)
}

/// Writes a new key, wrapped, and records it. Returns its Unique Identifier.
pub(super) async fn keep(
    item: &mut Item<'_>,
    draft: KeyDraft,
    sha256: [u8; 32],
    root_key: &RootKey,
    kek: WrappedKek,
) -> Result<Uuid, Refusal> {
    item.uses(root_key, root_key.version, Some(kek.profile));
    let wrapped = WrappedUnder {
        root_key: root_key.id,
        version: root_key.version,
        kek,
    };
    keep_object(item, draft.finish(sha256), Some(wrapped)).await
}

/// Writes a new object and records it. Returns its Unique Identifier.
pub(super) async fn keep_object(
    item: &mut Item<'_>,
    mut object: ManagedObject,
    wrapped: Option<WrappedUnder>,
) -> Result<Uuid, Refusal> {
    object.give_to(item.user);
    let id = object.id();
    shaping::require_allowed(item, &object).await?;
    item.becomes(&object);
    let mut changes = Vec::with_capacity(2);
    changes.extend(
        wrapped
            .as_ref()
            .map(|wrapped| Change::UseRootKey(wrapped.root_key)),
    );
    changes.push(Change::create_key(KeyRow::new(object, wrapped)));
    match item.commit(changes).await? {
        Commit::Done => {
            item.placeholder.fill(id);
            Ok(id)
        }
        Commit::Conflict => Err(Refusal::busy()),
    }
}
