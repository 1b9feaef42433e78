//! The beginning of a backup, in the clear: what it is, and which key opens it.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{BackupKey, Error};
use crate::custody::{Hash, Head};
use crate::key::{WrapProfile, WrappedKek};

/// What a backup begins with: its form and the version of that.
const MAGIC: &[u8; 18] = b"claviger-backup/1\n";
/// What all versions begin with.
const NAME: &[u8] = b"claviger-backup/";
/// The longest header, in bytes: many times what one has.
const LONGEST: u32 = 1 << 16;

/// What a backup says of itself, for anybody who has the file. It is authenticated with the first chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Which backup it is.
    pub id: Uuid,
    /// When it was begun.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// The server that made it.
    pub node: String,
    /// The version of its program.
    pub server_version: String,
    /// The name of the custody log.
    pub log: String,
    /// How many records the log has in this backup.
    pub records: u64,
    /// The root over them.
    pub root: Hash,
    /// The key under which the data key is.
    pub key: BackupKey,
    /// How the data key is wrapped, as `aes-kwp`.
    pub profile: String,
    /// The data key, wrapped, in hexadecimal.
    #[serde(with = "super::hexadecimal")]
    pub data_key: Vec<u8>,
    /// What the nonce of each chunk begins with, in hexadecimal.
    #[serde(with = "super::hexadecimal")]
    pub nonce: [u8; 7],
}

impl Header {
    /// The head of the custody log in this backup.
    pub const fn head(&self) -> Head {
        Head {
            size: self.records,
            root: self.root,
        }
    }

    /// A name for its file: of the server and the time, in an order that is that of time.
    pub fn file_name(&self) -> String {
        let at = self.created_at;
        format!(
            "claviger-{}-{:04}{:02}{:02}T{:02}{:02}{:02}{:03}Z.backup",
            self.node,
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }

    /// The data key as it is kept.
    pub(super) fn wrapped(&self) -> Result<WrappedKek, Error> {
        let profile = WrapProfile::from_name(&self.profile).ok_or_else(|| Error::Form {
            why: format!(
                "its key is wrapped by {:?}, which this version does not know",
                self.profile
            ),
        })?;
        Ok(WrappedKek {
            profile,
            bytes: self.data_key.clone(),
        })
    }

    /// Writes everything that is before the first chunk, and gives its length and the associated data of the chunks.
    pub(super) fn write(&self, out: &mut impl Write) -> Result<(u64, [u8; 32]), Error> {
        let json = serde_json::to_vec(self).map_err(|error| Error::contradiction(error.to_string()))?;
        let length = u32::try_from(json.len()).map_err(|_| Error::contradiction("the header is too long"))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&json);
        out.write_all(&bytes).map_err(Error::writing)?;
        Ok((bytes.len() as u64, Sha256::digest(&bytes).into()))
    }

    /// Reads everything that is before the first chunk; its length, and the associated data of the chunks.
    pub fn read(from: &mut impl Read) -> Result<(Self, u64, [u8; 32]), Error> {
        let mut bytes = vec![0; MAGIC.len() + 4];
        fill(from, &mut bytes, 0)?;
        if !bytes.starts_with(MAGIC) {
            let why = if bytes.starts_with(NAME) {
                "it has another version of the form; take the version of this program that made it, or a newer one"
            } else {
                "it does not begin as a backup does"
            };
            return Err(Error::Form { why: why.to_owned() });
        }
        let length = bytes[MAGIC.len()..]
            .iter()
            .fold(0, |sum: u32, byte| (sum << 8) | u32::from(*byte));
        if length > LONGEST {
            return Err(Error::Form {
                why: format!("its header has {length} bytes"),
            });
        }
        let start = bytes.len();
        bytes.resize(start + length as usize, 0);
        fill(from, &mut bytes[start..], start)?;
        let header = serde_json::from_slice(&bytes[start..]).map_err(|error| Error::Form {
            why: format!("its header: {error}"),
        })?;
        Ok((header, bytes.len() as u64, Sha256::digest(&bytes).into()))
    }
}

/// Reads so many bytes, of which the first is number `at` of the file.
fn fill(from: &mut impl Read, bytes: &mut [u8], at: usize) -> Result<(), Error> {
    let mut read = 0;
    while read < bytes.len() {
        match from.read(&mut bytes[read..]) {
            Ok(0) => {
                return Err(Error::Short {
                    at: (at + read) as u64,
                });
            }
            Ok(more) => read += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::reading(error)),
        }
    }
    Ok(())
}
