//! Writes a bundle. The members that grow with the log are written as they come; their length is put in place at their end.

use std::io::{self, Seek, SeekFrom, Write};

use super::super::{Hash, IdentityFacts, Policy, RowFacts, SignedNote, Tile};
use super::{CHECKPOINT, CHECKPOINTS, IDENTITIES, MANIFEST, Manifest, POLICY, RECORDS, ROWS};

/// The size of a block of tar.
const BLOCK: u64 = 512;

/// A bundle that is written. The members come in the order of the methods here; each of them may be left out but
/// [`begin_records`](Self::begin_records).
pub struct BundleWriter<W> {
    out: W,
    time: u64,
    /// The member that is written: its name and where its header is.
    member: Option<(&'static str, u64)>,
    written: u64,
    checkpoints: u64,
}

impl<W: Write + Seek> BundleWriter<W> {
    /// Begins a bundle at the beginning of `out`.
    pub fn new(out: W, manifest: &Manifest, policy: &Policy, checkpoint: &SignedNote) -> io::Result<Self> {
        let mut writer = Self {
            out,
            time: manifest.made_at.unix_timestamp().try_into().unwrap_or(0),
            member: None,
            written: 0,
            checkpoints: 0,
        };
        writer.whole(MANIFEST, &serde_json::to_vec_pretty(manifest)?)?;
        writer.whole(POLICY, policy.to_string().as_bytes())?;
        writer.whole(CHECKPOINT, checkpoint.to_string().as_bytes())?;
        Ok(writer)
    }

    /// Begins the checkpoints.
    pub fn begin_checkpoints(&mut self) -> io::Result<()> {
        self.begin(CHECKPOINTS)
    }

    /// Writes one more of the checkpoints, word for word. They come by size.
    pub fn checkpoint(&mut self, note: &str) -> io::Result<()> {
        if self.checkpoints > 0 {
            self.write(b"\n")?;
        }
        self.checkpoints += 1;
        self.write(note.as_bytes())
    }

    /// Writes a tile.
    pub fn tile(&mut self, tile: Tile, hashes: &[Hash]) -> io::Result<()> {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        self.whole(&tile.to_string(), &bytes)
    }

    /// Begins the records.
    pub fn begin_records(&mut self) -> io::Result<()> {
        self.begin(RECORDS)
    }

    /// Writes the bytes of the next record.
    pub fn record(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes)?;
        self.write(b"\n")
    }

    /// Begins the rows.
    pub fn begin_rows(&mut self) -> io::Result<()> {
        self.begin(ROWS)
    }

    /// Writes one row.
    pub fn row(&mut self, row: &RowFacts) -> io::Result<()> {
        self.write(&serde_json::to_vec(row)?)?;
        self.write(b"\n")
    }

    /// Begins what is beside keys.
    pub fn begin_identities(&mut self) -> io::Result<()> {
        self.begin(IDENTITIES)
    }

    /// Writes one adapter, client certificate or root key.
    pub fn identity(&mut self, identity: &IdentityFacts) -> io::Result<()> {
        self.write(&serde_json::to_vec(identity)?)?;
        self.write(b"\n")
    }

    /// Ends the bundle and gives back what it was written to, flushed.
    pub fn finish(mut self) -> io::Result<W> {
        self.end()?;
        let end = usize::try_from(2 * BLOCK).expect("it is a kilobyte");
        self.out.write_all(&vec![0; end])?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn whole(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.end()?;
        let header = self.header(name, bytes.len() as u64)?;
        self.out.write_all(header.as_bytes())?;
        self.out.write_all(bytes)?;
        self.pad(bytes.len() as u64)
    }

    fn begin(&mut self, name: &'static str) -> io::Result<()> {
        self.end()?;
        let place = self.out.stream_position()?;
        let header = self.header(name, 0)?;
        self.out.write_all(header.as_bytes())?;
        self.member = Some((name, place));
        self.written = 0;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.member.is_none() {
            let why = "a part of a member was written outside of it";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn end(&mut self) -> io::Result<()> {
        let Some((name, place)) = self.member.take() else {
            return Ok(());
        };
        self.pad(self.written)?;
        let header = self.header(name, self.written)?;
        let end = self.out.stream_position()?;
        self.out.seek(SeekFrom::Start(place))?;
        self.out.write_all(header.as_bytes())?;
        self.out.seek(SeekFrom::Start(end))?;
        Ok(())
    }

    fn header(&self, name: &str, size: u64) -> io::Result<tar::Header> {
        let mut header = tar::Header::new_gnu();
        header.set_path(name)?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(self.time);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        Ok(header)
    }

    fn pad(&mut self, written: u64) -> io::Result<()> {
        let rest = usize::try_from((BLOCK - written % BLOCK) % BLOCK).expect("it is less than a block");
        self.out.write_all(&vec![0; rest])
    }
}
