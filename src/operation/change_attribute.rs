//! What Add, Modify and Delete Attribute have in common.

use uuid::Uuid;

use super::item::{Item, shortened};
use super::names;
use super::refusal::{AttributeUse, Refusal};
use crate::key::{AttributeError, ManagedObject};
use crate::kmip::attribute::{Attribute, AttributeName, AttributeValue, Name};
use crate::kmip::payload::UniqueIdentifier;
use crate::kmip::ttlv::DateTime;

/// The names that an attribute gives its object.
pub(super) fn names_in(attribute: &Attribute) -> Vec<Name> {
    match &attribute.value {
        AttributeValue::Name(name) => vec![name.clone()],
        _ => Vec::new(),
    }
}

/// Makes `change` of the attribute `name` in the object that is meant, which is to get the names `given`.
pub(super) async fn perform(
    item: &mut Item<'_>,
    asked: Option<UniqueIdentifier<'_>>,
    name: &AttributeName,
    given: &[Name],
    at: AttributeUse,
    mut change: impl FnMut(&mut ManagedObject, DateTime) -> Result<Attribute, AttributeError>,
) -> Result<(Uuid, Attribute), Refusal> {
    item.event
        .details
        .insert("attribute".into(), shortened(name.as_text()));
    let _held = names::hold(item, given).await;
    if !given.is_empty() {
        let object = item.object(asked).await?.object.id();
        names::require_free(item, given, Some(object), Refusal::name_taken).await?;
    }
    item.change(asked, |row, now| {
        if row.object.is_destroyed() {
            return Err(Refusal::destroyed());
        }
        change(&mut row.object, now).map_err(|error| Refusal::of_attribute(&error, at))
    })
    .await
}
