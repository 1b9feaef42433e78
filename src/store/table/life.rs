//! The columns that root keys and their versions got later. In rows without them the seal is that of the first form.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::adapter::RootKeyOrigin;
use crate::store::Error;
use crate::store::seal::Columns;

/// A state as its column has it; the usual one is NULL.
pub(super) fn life<T: Serialize + Default + PartialEq>(state: &T) -> Result<Option<String>, Error> {
    if *state == T::default() {
        return Ok(None);
    }
    let written = serde_json::to_string(state).map_err(|error| Error::Unfit {
        what: "the state",
        why: error.to_string(),
    })?;
    Ok(Some(written))
}

/// What a column says of the state.
pub(super) fn state<T: DeserializeOwned + Default>(life: Option<&str>) -> Result<T, String> {
    life.map_or_else(
        || Ok(T::default()),
        |life| serde_json::from_str(life).map_err(|error| format!("its state can't be read: {error}")),
    )
}

/// An origin as its column has it; the usual one is NULL.
pub(super) fn origin(origin: RootKeyOrigin) -> Option<String> {
    (origin != RootKeyOrigin::default()).then(|| origin.name().to_owned())
}

/// What a column says of the origin.
pub(super) fn known_origin(name: Option<&str>) -> Result<RootKeyOrigin, String> {
    [
        RootKeyOrigin::Generated,
        RootKeyOrigin::Imported,
        RootKeyOrigin::Adopted,
    ]
    .into_iter()
    .find(|origin| name.is_none_or(|name| name == origin.name()))
    .ok_or_else(|| "its origin is none that is known".to_owned())
}

/// The sealed columns with the later ones, where any of those is there. The length in front of each tells the two forms
/// apart, so a column that another hand sets or takes out breaks the seal.
pub(super) fn later(columns: Columns, life: Option<&str>, origin: Option<&str>) -> Columns {
    if life.is_none() && origin.is_none() {
        return columns;
    }
    columns
        .optional(life, Columns::text)
        .optional(origin, Columns::text)
}
