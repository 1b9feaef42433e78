//! The chunks: an encrypted stream that is written and read from its beginning to its end.

use std::io::{self, Read, Write};

use aead_stream::{NewStream as _, StreamBE32, StreamPrimitive as _};
use aes_gcm::Aes256Gcm;
use zeroize::Zeroizing;

use super::Error;

/// Bytes of a chunk before it is encrypted.
const CHUNK: usize = 1 << 16;
/// Bytes that the encryption adds to a chunk.
const TAG: usize = 16;

type Stream = StreamBE32<Aes256Gcm>;

fn stream(key: &[u8], nonce: [u8; 7]) -> Result<Stream, Error> {
    let key = key
        .try_into()
        .map_err(|_| Error::contradiction("its key has not 32 bytes"))?;
    Ok(Stream::new(key, &nonce.into()))
}

/// Encrypts what is written to it.
pub struct Sealer<W> {
    stream: Stream,
    associated: [u8; 32],
    number: u32,
    waiting: Zeroizing<Vec<u8>>,
    out: W,
}

impl<W: Write> Sealer<W> {
    /// Encrypts by this key, which encrypts nothing else, and writes behind what `associated` is the hash of.
    pub fn new(key: &[u8], nonce: [u8; 7], associated: [u8; 32], out: W) -> Result<Self, Error> {
        Ok(Self {
            stream: stream(key, nonce)?,
            associated,
            number: 0,
            waiting: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
            out,
        })
    }

    /// Writes the last chunk, and gives back what was written to. Without it the backup is none.
    pub fn finish(mut self) -> Result<W, Error> {
        self.seal(true).map_err(Error::writing)?;
        self.out.flush().map_err(Error::writing)?;
        Ok(self.out)
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        self.stream
            .encrypt_in_place(self.number, is_last, &self.associated, &mut *self.waiting)
            .map_err(|_| io::Error::other("a chunk can't be encrypted"))?;
        self.out.write_all(&self.waiting)?;
        self.waiting.clear();
        let next = self.number.checked_add(1);
        self.number = next.ok_or_else(|| io::Error::other("it is longer than 256 TiB"))?;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// What is no whole chunk waits.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Decrypts what it reads. Gives out nothing that was not authenticated.
pub struct Opener<R> {
    stream: Stream,
    associated: [u8; 32],
    number: u32,
    /// The chunk that is given out, and how much of it was.
    open: Zeroizing<Vec<u8>>,
    given: usize,
    /// The beginning of the next chunk, which was read to know whether there is one.
    ahead: Option<u8>,
    is_begun: bool,
    is_at_end: bool,
    /// Bytes of the file before the next chunk.
    at: u64,
    from: R,
}

impl<R: Read> Opener<R> {
    /// Decrypts by this key what is behind the `at` bytes of which `associated` is the hash.
    pub fn new(key: &[u8], nonce: [u8; 7], associated: [u8; 32], at: u64, from: R) -> Result<Self, Error> {
        Ok(Self {
            stream: stream(key, nonce)?,
            associated,
            number: 0,
            open: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
            given: 0,
            ahead: None,
            is_begun: false,
            is_at_end: false,
            at,
            from,
        })
    }

    /// So many bytes; an error where the backup has fewer.
    pub fn take(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        let mut taken = 0;
        while taken < bytes.len() {
            if self.given == self.open.len() && !self.next_chunk()? {
                return Err(Error::contradiction("its last part is not whole"));
            }
            let some = (bytes.len() - taken).min(self.open.len() - self.given);
            bytes[taken..taken + some].copy_from_slice(&self.open[self.given..self.given + some]);
            self.given += some;
            taken += some;
        }
        Ok(())
    }

    /// Whether there is nothing more.
    pub fn is_at_end(&mut self) -> Result<bool, Error> {
        while self.given == self.open.len() {
            if !self.next_chunk()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens the next chunk; false where the last one was opened already.
    fn next_chunk(&mut self) -> Result<bool, Error> {
        if self.is_at_end {
            return Ok(false);
        }
        if !self.is_begun {
            self.is_begun = true;
            self.ahead = self.read_one()?;
        }
        self.open.clear();
        self.given = 0;
        let mut sealed = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        sealed.extend(self.ahead.take());
        let rest = (CHUNK + TAG - sealed.len()) as u64;
        let read = Read::by_ref(&mut self.from).take(rest).read_to_end(&mut sealed);
        read.map_err(Error::reading)?;
        if sealed.len() == CHUNK + TAG {
            self.ahead = self.read_one()?;
        }
        let is_last = self.ahead.is_none();
        let length = sealed.len() as u64;
        let mut open = sealed.clone();
        if self.decrypt(is_last, &mut open).is_err() {
            // A chunk that is whole, and not the last one, stands at the end: what was behind it is missing. Of one that is
            // not whole nothing can be told, but that there is nothing behind it.
            let is_cut = is_last && (length < TAG as u64 || self.decrypt(false, &mut sealed).is_ok());
            let end = self.at + length;
            return Err(if is_cut {
                Error::Short { at: end }
            } else {
                Error::Changed { at: self.at }
            });
        }
        self.open = open;
        self.at += length;
        self.number = self.number.wrapping_add(1);
        self.is_at_end = is_last;
        Ok(true)
    }

    fn decrypt(&self, is_last: bool, chunk: &mut Vec<u8>) -> Result<(), aes_gcm::Error> {
        self.stream
            .decrypt_in_place(self.number, is_last, &self.associated, chunk)
    }

    fn read_one(&mut self) -> Result<Option<u8>, Error> {
        let mut one = [0];
        loop {
            match self.from.read(&mut one) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(Some(one[0])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::reading(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NONCE: [u8; 7] = [1; 7];

    fn sealed(text: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(&KEY, NONCE, [3; 32], Vec::new()).unwrap();
        sealer.write_all(text).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(sealed: &[u8], associated: [u8; 32]) -> Result<Vec<u8>, Error> {
        let mut opener = Opener::new(&KEY, NONCE, associated, 0, sealed)?;
        let mut text = Vec::new();
        while !opener.is_at_end()? {
            let mut one = [0];
            opener.take(&mut one)?;
            text.push(one[0]);
        }
        Ok(text)
    }

    #[test]
    fn what_was_sealed_is_opened_whatever_its_length() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK - 7] {
            let text: Vec<u8> = (0..251).cycle().take(length).collect();
            assert_eq!(opened(&sealed(&text), [3; 32]).unwrap(), text, "{length}");
        }
    }

    #[test]
    fn a_backup_that_was_cut_short_anywhere_is_refused() {
        let sealed = sealed(&vec![5; 2 * CHUNK + 100]);
        for length in [
            0,
            1,
            TAG,
            CHUNK,
            CHUNK + TAG,
            CHUNK + TAG + 1,
            2 * (CHUNK + TAG),
            sealed.len() - 1,
        ] {
            assert!(opened(&sealed[..length], [3; 32]).is_err(), "{length}");
        }
        let at_a_chunk = opened(&sealed[..CHUNK + TAG], [3; 32]);
        assert!(matches!(at_a_chunk, Err(Error::Short { at }) if at == (CHUNK + TAG) as u64));
    }

    #[test]
    fn a_backup_that_was_changed_anywhere_is_refused() {
        let whole = sealed(&vec![5; CHUNK + 100]);
        for place in [0, CHUNK, CHUNK + TAG, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert!(
                matches!(opened(&changed, [3; 32]), Err(Error::Changed { .. })),
                "{place}"
            );
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(opened(&longer, [3; 32]).is_err());
        assert!(opened(&whole, [4; 32]).is_err(), "another header");
        let mut swapped = sealed(&vec![5; 3 * CHUNK]);
        let (first, second) = swapped.split_at_mut(CHUNK + TAG);
        first.swap_with_slice(&mut second[..CHUNK + TAG]);
        assert!(opened(&swapped, [3; 32]).is_err());
    }
}
