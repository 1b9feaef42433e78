//! Where a KMIP message ends: the one thing that the endpoint has to know of what it carries.
//!
//! A message is one TTLV structure (KMIP 1.4, 9.1.1): a tag of three bytes, the type, the length of the value in
//! four bytes, big-endian, then the value. What is in it is not looked at here.

/// The bytes of a TTLV header.
pub(super) const HEADER: usize = 8;

/// The tag of a Request Message and the type of a structure.
const REQUEST_MESSAGE: [u8; 4] = [0x42, 0x00, 0x78, 0x01];

/// What the bytes at the front of the stream are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<W = usize, B = Broken> {
    /// The beginning of a message that goes on.
    Partial,
    /// A message: of this many bytes, header included.
    Whole(W),
    /// No message that this server takes, and nothing behind it can be told apart: what is there is all that can be
    /// answered, and the connection has to be closed.
    Broken(B),
}

/// Why the stream can't be followed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// It does not begin as a Request Message does.
    #[error("what came is no KMIP request")]
    NotARequest,
    /// It says that it is longer than the server takes.
    #[error("a request of {length} bytes came; the server takes {limit}")]
    TooLong {
        /// The length that it says, header included.
        length: u64,
        /// The most that the server takes.
        limit: usize,
    },
}

/// Finds the end of the message at the front of `bytes`. Nothing is taken on trust from a length: what is beyond
/// `limit` is refused when its header is read.
pub(super) fn find(bytes: &[u8], limit: usize) -> Frame {
    let known = bytes.len().min(REQUEST_MESSAGE.len());
    if bytes[..known] != REQUEST_MESSAGE[..known] {
        return Frame::Broken(Broken::NotARequest);
    }
    let Some(length) = bytes.get(4..HEADER) else {
        return Frame::Partial;
    };
    let length = length
        .iter()
        .fold(0, |length, byte| length << 8 | u64::from(*byte))
        + HEADER as u64;
    match usize::try_from(length) {
        Ok(whole) if whole <= limit && bytes.len() >= whole => Frame::Whole(whole),
        Ok(whole) if whole <= limit => Frame::Partial,
        _ => Frame::Broken(Broken::TooLong { length, limit }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(length: u32, value: usize) -> Vec<u8> {
        let mut bytes = REQUEST_MESSAGE.to_vec();
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.resize(HEADER + value, 0xAB);
        bytes
    }

    #[test]
    fn a_hostile_length_is_refused_by_its_header_alone() {
        let length = u64::from(u32::MAX) + 8;
        assert_eq!(
            find(&message(u32::MAX, 0), 1024),
            Frame::Broken(Broken::TooLong { length, limit: 1024 })
        );
        assert_eq!(find(&message(1016, 0), 1024), Frame::Partial);
        assert!(matches!(find(&message(1017, 0), 1024), Frame::Broken(_)));
    }

    #[test]
    fn what_is_no_request_is_told_by_its_first_wrong_byte() {
        assert_eq!(find(b"", 1024), Frame::Partial);
        assert_eq!(find(b"G", 1024), Frame::Broken(Broken::NotARequest));
        assert_eq!(
            find(&[0x42, 0x00, 0x7B], 1024),
            Frame::Broken(Broken::NotARequest)
        );
        assert_eq!(
            find(&[0x42, 0x00, 0x78, 0x02], 1024),
            Frame::Broken(Broken::NotARequest)
        );
    }

    proptest! {
        #[test]
        fn a_message_is_whole_at_its_last_byte_and_not_before(value in 0_u32..4000, behind in 0_usize..50) {
            let whole = message(value, value as usize);
            for cut in [0, 1, 4, 7, whole.len() - 1] {
                if cut < whole.len() {
                    prop_assert_eq!(find(&whole[..cut], 4096), Frame::Partial);
                }
            }
            prop_assert_eq!(find(&whole, 4096), Frame::Whole(whole.len()));
            prop_assert_eq!(find(&message(value, value as usize + behind), 4096), Frame::Whole(whole.len()));
        }
    }
}
