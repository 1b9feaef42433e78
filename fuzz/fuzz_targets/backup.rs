//! Backups: whatever comes is survived, as a file and, with the right key, as what was encrypted; and what is read is written the
//! same.
#![no_main]

use claviger::backup::{Error, Header, Part, read_part, write_part};
use claviger::store::{Piece, TableHead};
use libfuzzer_sys::fuzz_target;

/// Reads parts until one does not fit.
fn parts(mut rest: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut take = |out: &mut [u8]| {
        let short = Error::Short { at: 0 };
        let (first, behind) = rest.split_at_checked(out.len()).ok_or(short)?;
        out.copy_from_slice(first);
        rest = behind;
        Ok(())
    };
    while let Ok(part) = read_part(&mut take) {
        parts.push(part);
    }
    parts
}

fuzz_target!(|bytes: &[u8]| {
    let _ = Header::read(&mut &*bytes);
    let read = parts(bytes);
    let mut table: Option<&TableHead> = None;
    for part in &read {
        match part {
            Part::Rows(Piece::Table(head)) => table = Some(head),
            Part::Rows(Piece::Rows(rows)) => {
                if let Some(head) = table {
                    let _ = head.count(rows);
                }
            }
            _ => {}
        }
    }
    let mut written = Vec::new();
    for part in &read {
        write_part(part, &mut written).expect("what was read can be written");
    }
    assert_eq!(parts(&written), read);
});
