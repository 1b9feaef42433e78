//! The making of a backup.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio::sync::mpsc;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::frame::{Part, write_part};
use super::stream::Sealer;
use super::{BackupKey, Error, Header};
use crate::custody::Hash;
use crate::root_key::RootKeys;
use crate::store::{Piece, Store};

/// Pieces that are on the way at a time.
const ON_THE_WAY: usize = 4;
/// Bytes that are written at a time.
const BUFFER: usize = 1 << 18;

/// Whose backup it is, and what belongs into it beside the store.
#[derive(Clone, Debug)]
pub struct Source {
    /// The server.
    pub node: String,
    /// The version of its program.
    pub server_version: String,
    /// The name of its custody log.
    pub log: String,
    /// Files of the configuration, and folders of such files. One that is not there is left out.
    pub files: Vec<PathBuf>,
}

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it says of itself.
    pub header: Header,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole file.
    pub sha256: Hash,
    /// The number of rows in it.
    pub rows: u64,
    /// The number of files in it.
    pub files: u64,
}

impl Made {
    /// What its record says of it, by name.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        let header = &self.header;
        vec![
            ("backup", header.id.to_string()),
            ("backup_records", header.records.to_string()),
            ("backup_root", header.root.to_string()),
            ("backup_sha256", self.sha256.to_string()),
            ("backup_bytes", self.bytes.to_string()),
            ("backup_key", hex::encode(&header.key.check_value)),
            ("backup_token_serial", header.key.token_serial.clone()),
        ]
    }
}

/// Makes a backup of the store as it is now, into a file that is empty. What was written is on the disk when this returns.
pub async fn write(
    store: Arc<dyn Store>,
    root_keys: &RootKeys,
    key: &BackupKey,
    source: Source,
    out: File,
) -> Result<Made, Error> {
    let id = Uuid::now_v7();
    let (wrapped, data_key) = key.make_data_key(root_keys, id).await?;
    let mut nonce = [0; 7];
    openssl::rand::rand_bytes(&mut nonce).map_err(|error| Error::BrokenOff {
        why: format!("no random bytes: {error}"),
    })?;
    let draft = Header {
        id,
        created_at: OffsetDateTime::now_utc(),
        node: source.node,
        server_version: source.server_version,
        log: source.log,
        records: 0,
        root: Hash([0; 32]),
        key: key.clone(),
        profile: wrapped.profile.name().to_owned(),
        data_key: wrapped.bytes,
        nonce,
    };
    let (rows, mut pieces) = mpsc::channel(ON_THE_WAY);
    // Files are written, and bytes encrypted, where nobody else waits for it.
    let writing = tokio::task::spawn_blocking(move || {
        let mut next = || pieces.blocking_recv();
        written(draft, data_key.as_slice(), &source.files, &mut next, out)
    });
    let sent = store.send_rows(rows).await;
    let made = writing.await.map_err(|error| Error::BrokenOff {
        why: error.to_string(),
    });
    // Where the rows did not come, that is why they were not written.
    sent?;
    made?
}

fn written(
    mut header: Header,
    data_key: &[u8],
    files: &[PathBuf],
    next: &mut dyn FnMut() -> Option<Piece>,
    out: File,
) -> Result<Made, Error> {
    let broke_off = || Error::contradiction("the store broke off before its end");
    let Some(Piece::Begin(head)) = next() else {
        return Err(broke_off());
    };
    (header.records, header.root) = (head.size, head.root);
    let mut out = BufWriter::with_capacity(BUFFER, Counting::new(out));
    let (_, associated) = header.write(&mut out)?;
    let mut sealer = Sealer::new(data_key, header.nonce, associated, out)?;
    let (mut rows, mut number) = (0, 0);
    for file in files {
        number += put(file, &mut sealer)?;
    }
    loop {
        let piece = next().ok_or_else(broke_off)?;
        if let Piece::TableEnd(end) = &piece {
            rows += end.rows;
        }
        let is_end = piece == Piece::End;
        write_part(&Part::Rows(piece), &mut sealer)?;
        if is_end {
            break;
        }
    }
    let out = sealer.finish()?;
    let counted = out
        .into_inner()
        .map_err(|error| Error::writing(error.into_error()))?;
    counted.file.sync_all().map_err(Error::writing)?;
    Ok(Made {
        header,
        bytes: counted.bytes,
        sha256: Hash(counted.hash.finalize().into()),
        rows,
        files: number,
    })
}

/// Puts a file, or those of a folder, into the backup, and gives their number.
fn put(path: &Path, out: &mut impl Write) -> Result<u64, Error> {
    let failed = |source: io::Error| Error::File {
        path: path.to_owned(),
        source,
    };
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        metadata => metadata.map_err(failed)?,
    };
    if metadata.is_dir() {
        let mut number = 0;
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            entries.push(entry.map_err(failed)?.path());
        }
        entries.sort();
        for file in entries.into_iter().filter(|entry| entry.is_file()) {
            number += put(&file, out)?;
        }
        return Ok(number);
    }
    let content = Zeroizing::new(fs::read(path).map_err(failed)?);
    let path = std::path::absolute(path).map_err(failed)?;
    let path = path.to_string_lossy().into_owned();
    write_part(&Part::File { path, content }, out)?;
    Ok(1)
}

/// A file that is hashed as it is written.
struct Counting {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Counting {
    fn new(file: File) -> Self {
        Self {
            file,
            hash: Sha256::new(),
            bytes: 0,
        }
    }
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Takes a file back to its beginning.
pub fn rewound(mut file: &File) -> Result<(), Error> {
    file.seek(SeekFrom::Start(0)).map(drop).map_err(Error::reading)
}
