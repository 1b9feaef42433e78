//! What shapes new objects of an adapter: Set Defaults, Set Constraints and Get Constraints (KMIP 2.1, sections 6.1.53,
//! 6.1.52 and 6.1.22), and what comes of them when an object is made.
//!
//! They are set by the clients of an adapter, for all of its clients, and are kept. A constraint or default that names
//! groups is for objects of these groups; where one of them is for an object, those without groups are not. Defaults fill in
//! what the request and its templates leave out; constraints look at the object as it would be, whatever operation makes
//! it. A constraint of the server's own: a key that is to be Quantum Safe has at least 256 bits.

use std::sync::Arc;

use super::item::{Commit, Item};
use super::refusal::{AttributeUse, Refusal};
use crate::key::{AttributeError, ManagedObject};
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue, Attributes};
use crate::kmip::enumeration::ObjectType;
use crate::kmip::mask::ProtectionStorageMask;
use crate::kmip::payload::{
    Constraint, Constraints, DefaultsInformation, EmptyPayload, GetConstraintsResponse, ObjectDefaults,
    ObjectGroups, ObjectTypes, ProtectionStorageMasks, SetConstraintsRequest, SetDefaultsRequest,
};
use crate::store::{Change, SettingKind, Settings};

/// The most bytes of defaults, and of constraints, that an adapter keeps.
pub(super) const KEPT_AT_MOST: usize = 64 * 1024;

/// The length from which on a symmetric key is safe from a quantum computer, which halves the length that counts.
const QUANTUM_SAFE_BITS: i32 = 256;

/// How every key is kept: made and wrapped by a device.
pub(super) const STORAGE: ProtectionStorageMask = ProtectionStorageMask::HARDWARE;

/// Refuses an object that none of the masks lets be kept as everything is kept here. A mask that asks for nothing is met.
pub(super) fn require_storage(masks: Option<&ProtectionStorageMasks>) -> Result<(), Refusal> {
    let masks = masks.map_or(&[][..], |masks| &masks.masks);
    if masks.is_empty() || masks.iter().any(|mask| STORAGE.contains(*mask)) {
        Ok(())
    } else {
        Err(Refusal::protection_storage())
    }
}

/// Begins to use defaults in the place of those before.
pub(super) async fn set_defaults(
    item: &mut Item<'_>,
    request: SetDefaultsRequest,
) -> Result<EmptyPayload, Refusal> {
    let defaults = request.defaults_information.unwrap_or_default();
    for each in &defaults.object_defaults {
        require_supported(&each.object_types)?;
        require_settable(&each.attributes)?;
    }
    let document = (!defaults.object_defaults.is_empty()).then(|| defaults.to_bytes());
    set(item, SettingKind::Defaults, document).await
}

/// Begins to apply constraints in the place of those before.
pub(super) async fn set_constraints(
    item: &mut Item<'_>,
    request: SetConstraintsRequest,
) -> Result<EmptyPayload, Refusal> {
    let constraints = request.constraints.unwrap_or_default();
    for each in &constraints.constraints {
        if let Some(object_types) = &each.object_types {
            require_supported(object_types)?;
        }
    }
    let document = (!constraints.constraints.is_empty()).then(|| constraints.to_bytes());
    set(item, SettingKind::Constraints, document).await
}

/// The constraints that are applied.
pub(super) async fn get_constraints(item: &Item<'_>) -> Result<GetConstraintsResponse, Refusal> {
    let constraints = constraints(&*settings(item).await?)?;
    item.record().await?;
    Ok(GetConstraintsResponse { constraints })
}

/// The defaults that are used.
pub(super) async fn defaults(item: &Item<'_>) -> Result<DefaultsInformation, Refusal> {
    read_defaults(&*settings(item).await?)
}

/// Adds what the defaults give an object that is to be made, of what its maker left out.
pub(super) async fn fill_in(
    item: &Item<'_>,
    object_type: ObjectType,
    attributes: &mut Vec<Attribute>,
) -> Result<(), Refusal> {
    let defaults = read_defaults(&*settings(item).await?)?;
    let groups: Vec<_> = attributes
        .iter()
        .filter_map(|attribute| match &attribute.value {
            AttributeValue::ObjectGroup(group) => Some(group.clone()),
            _ => None,
        })
        .collect();
    let given: Vec<_> = attributes.iter().map(Attribute::name).collect();
    let of = |each: &ObjectDefaults| (Some(each.object_types.clone()), each.object_groups.clone());
    for each in for_object(&defaults.object_defaults, object_type, &groups, of) {
        for attribute in &each.attributes.0 {
            let name = attribute.name();
            // What two defaults give, the first of them gives.
            if !given.contains(&name) && !attributes.iter().any(|there| there.name() == name) {
                attributes.push(attribute.clone());
            }
        }
    }
    Ok(())
}

/// Refuses a new object that is not as the constraints have it.
pub(super) async fn require_allowed(item: &Item<'_>, object: &ManagedObject) -> Result<(), Refusal> {
    let now = item.now();
    let quantum_safe = object.instances(&AttributeKind::QuantumSafe.into(), now);
    if quantum_safe
        .iter()
        .any(|there| there.value == AttributeValue::QuantumSafe(true))
        && object.length().is_some_and(|bits| bits < QUANTUM_SAFE_BITS)
    {
        return Err(Refusal::not_quantum_safe(QUANTUM_SAFE_BITS));
    }
    let constraints = constraints(&*settings(item).await?)?;
    if constraints.constraints.is_empty() {
        return Ok(());
    }
    let groups: Vec<_> = object
        .instances(&AttributeKind::ObjectGroup.into(), now)
        .into_iter()
        .filter_map(|attribute| match attribute.value {
            AttributeValue::ObjectGroup(group) => Some(group),
            _ => None,
        })
        .collect();
    let of = |each: &Constraint| (each.object_types.clone(), each.object_groups.clone());
    for each in for_object(&constraints.constraints, object.object_type(), &groups, of) {
        for attribute in each.attributes.iter().flat_map(|attributes| &attributes.0) {
            let name = attribute.name();
            let instances = object.instances(&name, now);
            if !instances.iter().any(|there| there.value == attribute.value) {
                return Err(Refusal::constraint(&name));
            }
        }
    }
    Ok(())
}

/// Those that are for an object of this type and these groups: the ones that name a group of it or, where there are none,
/// the ones that name no group.
fn for_object<'s, T>(
    all: &'s [T],
    object_type: ObjectType,
    groups: &[String],
    of: impl Fn(&T) -> (Option<ObjectTypes>, Option<ObjectGroups>),
) -> Vec<&'s T> {
    let (mut of_groups, mut of_all) = (Vec::new(), Vec::new());
    for each in all {
        let (object_types, object_groups) = of(each);
        if object_types.is_some_and(|types| !types.object_types.contains(&object_type)) {
            continue;
        }
        match object_groups.filter(|groups| !groups.object_groups.is_empty()) {
            None => of_all.push(each),
            Some(named) if named.object_groups.iter().any(|group| groups.contains(group)) => {
                of_groups.push(each);
            }
            Some(_) => {}
        }
    }
    if of_groups.is_empty() { of_all } else { of_groups }
}

async fn settings(item: &Item<'_>) -> Result<Arc<Settings>, Refusal> {
    item.services.settings(item.caller.adapter).await
}

fn constraints(settings: &Settings) -> Result<Constraints, Refusal> {
    let read = settings.constraints.as_deref().map(Constraints::from_bytes);
    read.transpose()
        .map_err(|_| Refusal::incomplete("the constraints that are kept cannot be read"))
        .map(Option::unwrap_or_default)
}

fn read_defaults(settings: &Settings) -> Result<DefaultsInformation, Refusal> {
    let read = settings.defaults.as_deref().map(DefaultsInformation::from_bytes);
    read.transpose()
        .map_err(|_| Refusal::incomplete("the defaults that are kept cannot be read"))
        .map(Option::unwrap_or_default)
}

async fn set(
    item: &mut Item<'_>,
    kind: SettingKind,
    document: Option<Vec<u8>>,
) -> Result<EmptyPayload, Refusal> {
    if document
        .as_ref()
        .is_some_and(|document| document.len() > KEPT_AT_MOST)
    {
        return Err(Refusal::shapes_too_large(KEPT_AT_MOST));
    }
    let bytes = document.as_ref().map_or(0, Vec::len);
    item.event.details.insert("bytes".into(), bytes.to_string());
    let change = Change::SetForAdapter {
        adapter: item.caller.adapter,
        kind,
        document,
    };
    match item.commit(vec![change]).await? {
        Commit::Done => Ok(EmptyPayload),
        Commit::Conflict => Err(Refusal::busy()),
    }
}

fn require_supported(object_types: &ObjectTypes) -> Result<(), Refusal> {
    let unsupported = object_types
        .object_types
        .iter()
        .find(|object_type| !super::query::OBJECT_TYPES.contains(object_type));
    match unsupported {
        None => Ok(()),
        Some(object_type) => Err(Refusal::object_type(*object_type)),
    }
}

/// Refuses defaults that no client could give an object itself.
fn require_settable(attributes: &Attributes) -> Result<(), Refusal> {
    for attribute in &attributes.0 {
        let name = attribute.name();
        let settable = matches!(
            attribute.value.kind(),
            Some(AttributeKind::CryptographicAlgorithm | AttributeKind::CryptographicLength)
        ) || name.rules().is_some_and(|rules| rules.initially_set_by.client());
        if !settable {
            let error = AttributeError::ReadOnly { name };
            return Err(Refusal::of_attribute(&error, AttributeUse::Making));
        }
    }
    Ok(())
}
