//! The reading of a backup, and the way back of what is in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use claviger_hsm::memory::LockedBuffer;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::frame::{Part, read_part};
use super::stream::Opener;
use super::write::rewound;
use super::{Error, Header};
use crate::root_key::RootKeys;
use crate::store::{Database, Piece};

/// Pieces that are on the way at a time.
const ON_THE_WAY: usize = 4;
/// Bytes that are read at a time.
const BUFFER: usize = 1 << 18;

/// A file that was in the backup.
#[derive(Debug)]
pub struct StoredFile {
    /// Where it was.
    pub path: String,
    /// What was in it.
    pub content: Zeroizing<Vec<u8>>,
}

/// What came out of a backup.
#[derive(Debug)]
pub struct Contents {
    /// What it says of itself.
    pub header: Header,
    /// The number of rows of each table.
    pub rows: BTreeMap<&'static str, u64>,
    /// The files of the configuration.
    pub files: Vec<StoredFile>,
}

/// What the backup says of itself: this takes no key, and proves nothing.
pub fn header_of(path: &Path) -> Result<Header, Error> {
    let file = open(path)?;
    Ok(Header::read(&mut BufReader::new(file))?.0)
}

/// Brings what is in a backup into a database with nothing in it. Each chunk is authenticated before anything of it is used,
/// and each table read back and compared; where anything does not fit, nothing is left there.
pub async fn restore(path: &Path, root_keys: &RootKeys, database: &Database) -> Result<Contents, Error> {
    let file = open(path)?;
    let (header, _, _) = Header::read(&mut &file)?;
    let wrapped = header.wrapped()?;
    let data_key = header.key.open_data_key(root_keys, header.id, &wrapped).await?;
    let (out, pieces) = mpsc::channel(ON_THE_WAY);
    let reading = tokio::task::spawn_blocking(move || {
        // Where nobody takes the rows any more, that has a reason of its own, which is told.
        let mut give = |piece| out.blocking_send(piece).is_ok();
        read(&file, &data_key, &mut give)
    });
    let filled = database.fill(pieces).await;
    let read = reading.await.map_err(|error| Error::BrokenOff {
        why: error.to_string(),
    });
    // Where the backup can't be read, that is why the rows did not come.
    let files = read??;
    let rows = filled?;
    Ok(Contents { header, rows, files })
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

/// Reads all parts of a backup: gives the store's, as long as somebody takes them, and returns the files.
fn read(
    file: &File,
    data_key: &LockedBuffer,
    give: &mut dyn FnMut(Piece) -> bool,
) -> Result<Vec<StoredFile>, Error> {
    rewound(file)?;
    let mut file = BufReader::with_capacity(BUFFER, file);
    let (header, length, associated) = Header::read(&mut file)?;
    let mut opener = Opener::new(data_key.as_slice(), header.nonce, associated, length, file)?;
    let mut files = Vec::new();
    // Before anything else: whether the header, and with it what stands there of the log, is what was written.
    opener.is_at_end()?;
    if !give(Piece::Begin(header.head())) {
        return Ok(files);
    }
    walk(&mut opener, |part| match part {
        Part::File { path, content } => {
            files.push(StoredFile { path, content });
            true
        }
        Part::Rows(piece) => give(piece),
    })?;
    Ok(files)
}

/// Gives all parts of a backup, as long as `each` wants more. The end of the rows is given once it is certain that the backup
/// is whole.
pub fn walk<R: Read>(opener: &mut Opener<R>, mut each: impl FnMut(Part) -> bool) -> Result<(), Error> {
    loop {
        let part = read_part(|bytes| opener.take(bytes))?;
        let is_end = part == Part::Rows(Piece::End);
        if is_end && !opener.is_at_end()? {
            return Err(Error::contradiction("there is something behind its end"));
        }
        if !each(part) || is_end {
            return Ok(());
        }
    }
}
