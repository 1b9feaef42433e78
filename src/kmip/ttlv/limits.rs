//! What a message may ask of its reader.

/// Bounds that the decoder keeps. A message beyond one of them is refused at the item that crosses it.
///
/// The defaults leave an order of magnitude over the largest messages that VMware's products, PyKMIP and the OASIS
/// test cases send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, its first header included. Default: 1 MiB.
    pub message_size: usize,
    /// Structures within structures; the message itself is the first. Default: 32.
    pub depth: usize,
    /// Items of a message, structures included. Default: 16,384.
    pub items: u32,
    /// Bytes of one text string. Default: 65,536.
    pub text_length: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: 1 << 20,
            depth: 32,
            items: 1 << 14,
            text_length: 1 << 16,
        }
    }
}
