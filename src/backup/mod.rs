//! Backups: everything that a server keeps, as of one moment, in one encrypted file.
//!
//! What is in it: every row of the store (the custody log with its checkpoints and cosignatures among them), and the files of
//! the configuration that are no secret. Rows are taken in one transaction that reads, so that store and log fit each other,
//! on a database that is being written meanwhile too.
//!
//! # The form, version 1
//!
//! | bytes | what |
//! |---|---|
//! | 18 | `claviger-backup/1` and a line feed |
//! | 4 | the length of the header |
//! | | the header: one JSON object, in the clear ([`Header`]) |
//! | the rest | chunks of 65,536 bytes, the last one shorter or as long, each encrypted with AES-256-GCM and 16 bytes longer |
//!
//! The key of the chunks, the *data key*, was made by what holds the root keys, for this backup alone, and stands in the header
//! wrapped under the [`BackupKey`]. Chunks are in the order of STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce is
//! the seven bytes of the header, the chunk's number (four bytes), and 1 for the last chunk, else 0. The associated data of
//! each is the SHA-256 over everything before the first chunk. So a chunk that was changed, moved, left out or taken from
//! another backup is noticed, and so are a header that was changed and a file that was cut short anywhere.
//!
//! Decrypted, it is a row of frames ([`Part`]): one byte that says what it is, the length (four bytes), and so many bytes.
//! Numbers have the highest byte first.
//!
//! | byte | frame |
//! |---|---|
//! | 1 | a file: the length of its path (two bytes), the path, the content |
//! | 2 | a table of the store: JSON, its name and its columns ([`TableHead`](crate::store::TableHead)) |
//! | 3 | rows of that table ([`Piece`](crate::store::Piece)) |
//! | 4 | the end of that table: JSON, the number of its rows and the SHA-256 over them |
//! | 5 | the end of the backup; nothing follows |

mod check;
mod error;
mod frame;
mod header;
mod hexadecimal;
mod key;
mod last;
mod read;
mod stream;
mod write;

pub use check::{Checked, DESTROYED, Unwrap, check};
pub use error::Error;
pub use frame::{Part, read_part, write_part};
pub use header::Header;
pub use key::BackupKey;
pub use last::{LastBackup, Restored};
pub use read::{Contents, StoredFile, header_of, restore, walk};
pub use stream::{Opener, Sealer};
pub use write::{Made, Source, rewound, write};
