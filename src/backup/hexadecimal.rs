//! Bytes in JSON as lower-case hexadecimal, for `#[serde(with)]`.

use hex::{FromHex, ToHex};
use serde::{Deserialize, Deserializer, Serializer, de};

pub(super) fn serialize<S: Serializer>(bytes: &impl ToHex, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&bytes.encode_hex::<String>())
}

pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromHex<Error = hex::FromHexError>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    T::from_hex(text).map_err(de::Error::custom)
}
