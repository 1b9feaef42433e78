//! Values into text.

use std::fmt;

use zeroize::Zeroize;

use crate::kmip::output::Output;

/// Bytes that are encoded at a time.
const CHUNK: usize = 64;

/// An output that numbers and names are formatted into.
pub(crate) struct Text<'o>(pub(crate) &'o mut dyn Output);

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.append(text.as_bytes());
        Ok(())
    }
}

impl Text<'_> {
    /// Adds a text as it is.
    pub(crate) fn put(&mut self, text: &str) {
        self.0.append(text.as_bytes());
    }

    /// Adds what is formatted.
    pub(crate) fn format(&mut self, arguments: fmt::Arguments<'_>) {
        fmt::Write::write_fmt(self, arguments).expect("an output takes everything");
    }

    /// Begins a line at a depth.
    pub(crate) fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.put("  ");
        }
    }
}

/// Adds bytes in hexadecimal.
pub(crate) fn append_hex(bytes: &[u8], out: &mut dyn Output) {
    let mut chunk = [0; 2 * CHUNK];
    for bytes in bytes.chunks(CHUNK) {
        let digits = &mut chunk[..2 * bytes.len()];
        hex::encode_to_slice(bytes, digits).expect("there are two digits for each byte");
        out.append(digits);
    }
    chunk.zeroize();
}
