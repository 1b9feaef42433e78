//! Frames: a length of four bytes, big-endian, and that many bytes of postcard.

use std::io::{self, Read};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::cryptography::LONGEST_DATA;

/// The longest frame in bytes, without its length. A list of several thousand root keys fits, and the longest data with all that
/// stands beside it.
pub(crate) const LONGEST: usize = 2 * LONGEST_DATA + (1 << 16);
const PREFIX: usize = 4;

/// Puts one frame behind what `out` holds; leaves `out` as it was where the message is too long.
pub(crate) fn append(out: &mut Vec<u8>, message: &impl Serialize) -> Result<(), Error> {
    let start = out.len();
    out.extend_from_slice(&[0; PREFIX]);
    // `Vec<u8>` is a sink that can't be full; only a type without a fixed length, which none of ours is, could fail.
    let mut written = postcard::to_extend(message, std::mem::take(out)).map_err(Error::protocol)?;
    std::mem::swap(out, &mut written);
    let length = out.len() - start - PREFIX;
    if length > LONGEST {
        out.truncate(start);
        return Err(Error::protocol(format!("a message of {length} bytes")));
    }
    let length = u32::try_from(length).expect("at most 1 MiB");
    out[start..start + PREFIX].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Takes bytes as they come and gives messages back.
#[derive(Default)]
pub(crate) struct Decoder {
    bytes: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// Where the next bytes are put. What was taken already is given up first.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.start);
        self.start = 0;
        &mut self.bytes
    }

    /// The next message, or `None` until more bytes have come.
    ///
    /// A length beyond the bound is an error before any memory is taken for it, and so are bytes that are not exactly
    /// one message. After an error the stream is of no more use.
    pub(crate) fn next<M: DeserializeOwned>(&mut self) -> Result<Option<M>, Error> {
        let rest = &self.bytes[self.start..];
        let Some((prefix, rest)) = rest.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(Error::protocol(format!("a frame that claims {length} bytes")));
        }
        let Some(frame) = rest.get(..length) else {
            return Ok(None);
        };
        let (message, unread) = postcard::take_from_bytes(frame).map_err(Error::protocol)?;
        if !unread.is_empty() {
            return Err(Error::protocol(format!(
                "{} bytes behind a message",
                unread.len()
            )));
        }
        self.start += PREFIX + length;
        Ok(Some(message))
    }

    /// Reads until there is a message; `None` where the stream ended between two of them.
    pub(crate) fn read<M: DeserializeOwned>(&mut self, stream: &mut impl Read) -> Result<Option<M>, Error> {
        loop {
            if let Some(message) = self.next()? {
                return Ok(Some(message));
            }
            let buffer = self.buffer();
            let filled = buffer.len();
            buffer.resize(filled + 16 * 1024, 0);
            let read = loop {
                match stream.read(&mut buffer[filled..]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(Error::protocol("the stream ended inside of a message")),
                Ok(_) => {}
                Err(error) => return Err(Error::protocol(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::{KeyKind, RootKeyLocator};
    use crate::worker::protocol::{Message, Operation, Request, Transported};
    use crate::wrapped::{WrapProfile, Wrapped};

    fn operation() -> impl Strategy<Value = Operation> {
        let root = || {
            (".{0,40}", proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(label, id)| {
                RootKeyLocator {
                    label,
                    id,
                    check_value: None,
                }
            })
        };
        let kind = || {
            prop_oneof![
                any::<u16>().prop_map(|bytes| KeyKind::Aes { bytes }),
                any::<u16>().prop_map(|bytes| KeyKind::Generic { bytes })
            ]
        };
        let wrapped = || {
            let bytes = proptest::collection::vec(any::<u8>(), 0..5000);
            (proptest::sample::select(&WrapProfile::ALL), bytes)
                .prop_map(|(profile, bytes)| Wrapped { profile, bytes })
        };
        prop_oneof![
            root().prop_map(Operation::CreateRootKey),
            (root(), kind(), any::<bool>()).prop_map(|(root, kind, digest)| Operation::Generate {
                root,
                kind,
                digest
            }),
            (root(), kind(), any::<u64>(), wrapped()).prop_map(|(root, kind, epoch, wrapped)| {
                Operation::Import {
                    root,
                    kind,
                    material: Transported { epoch, wrapped },
                }
            }),
            (root(), kind(), wrapped()).prop_map(|(root, kind, wrapped)| Operation::Release {
                root,
                kind,
                wrapped
            }),
            Just(Operation::Shutdown),
        ]
    }

    proptest! {
        #[test]
        fn messages_survive_being_cut_anywhere(
            operations in proptest::collection::vec(operation(), 1..6),
            cuts in proptest::collection::vec(1_usize..4000, 1..20),
        ) {
            let mut stream = Vec::new();
            for (id, operation) in (0..).zip(&operations) {
                let patience = std::time::Duration::from_millis(id);
                append(&mut stream, &Request { id, patience, operation: operation.clone() }).unwrap();
            }
            let mut decoder = Decoder::default();
            let mut decoded = Vec::new();
            let mut cuts = cuts.into_iter().cycle();
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                decoder.buffer().extend_from_slice(piece);
                rest = behind;
                while let Some(Request { operation, .. }) = decoder.next().unwrap() {
                    decoded.push(operation);
                }
            }
            prop_assert_eq!(decoded, operations);
        }

        #[test]
        fn hostile_bytes_never_panic_and_never_make_the_decoder_hold_more_than_came(
            bytes in proptest::collection::vec(any::<u8>(), 0..2000),
            length in any::<u32>(),
        ) {
            let mut decoder = Decoder::default();
            decoder.buffer().extend_from_slice(&length.to_be_bytes());
            decoder.buffer().extend_from_slice(&bytes);
            let came = decoder.bytes.len();
            while let Ok(Some(_)) = decoder.next::<Message>() {}
            prop_assert!(decoder.bytes.len() <= came);
        }
    }

    #[test]
    fn a_frame_that_claims_too_much_is_refused_from_its_length_alone() {
        let mut decoder = Decoder::default();
        let claimed = u32::try_from(LONGEST + 1).unwrap();
        decoder.buffer().extend_from_slice(&claimed.to_be_bytes());
        assert!(matches!(decoder.next::<Request>(), Err(Error::Protocol { .. })));
    }

    #[test]
    fn a_message_that_is_too_long_leaves_the_stream_whole() {
        let mut out = vec![1, 2, 3];
        assert!(append(&mut out, &vec![0_u8; LONGEST + 1]).is_err());
        assert_eq!(out, [1, 2, 3]);
    }

    #[test]
    fn bytes_behind_a_message_are_an_error() {
        let mut frame = Vec::new();
        append(&mut frame, &(7_u64, 9_u64)).unwrap();
        let mut decoder = Decoder::default();
        decoder.buffer().extend_from_slice(&frame);
        assert!(decoder.next::<u64>().is_err());
    }
}
