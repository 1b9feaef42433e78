//! Padding, by KMIP's Padding Method (KMIP 1.4, section 9.1.3.2.15).

use openssl::rand::rand_bytes;

use super::Error;
use crate::kmip::enumeration::PaddingMethod;

/// What stands behind data of which `length` bytes are in the last block.
pub(crate) fn padding(method: PaddingMethod, length: usize, block: usize) -> Result<Vec<u8>, Error> {
    let missing = block - length % block;
    let count = u8::try_from(missing).map_err(|_| Error::unsupported("such a block"))?;
    Ok(match method {
        PaddingMethod::None => Vec::new(),
        PaddingMethod::PKCS5 => vec![count; missing],
        PaddingMethod::Zeros => vec![0; missing % block],
        PaddingMethod::ANSIX9_23 => {
            let mut padding = vec![0; missing];
            padding[missing - 1] = count;
            padding
        }
        PaddingMethod::ISO10126 => {
            let mut padding = vec![0; missing];
            rand_bytes(&mut padding)?;
            padding[missing - 1] = count;
            padding
        }
        other => return Err(Error::unsupported(format!("the padding {other:?}"))),
    })
}

/// How many bytes of the last block are data.
///
/// Each byte that may be padding is looked at, whatever the others are. Fails with [`Error::Refused`] where it is wrong.
pub(crate) fn data_in(method: PaddingMethod, block: &[u8]) -> Result<usize, Error> {
    let count = block.last().copied().unwrap_or(0);
    let expected = match method {
        PaddingMethod::None => return Ok(block.len()),
        PaddingMethod::Zeros => {
            let data = block.iter().rposition(|byte| *byte != 0);
            return Ok(data.map_or(0, |last| last + 1));
        }
        PaddingMethod::PKCS5 => Some(count),
        PaddingMethod::ANSIX9_23 => Some(0),
        PaddingMethod::ISO10126 => None,
        other => return Err(Error::unsupported(format!("the padding {other:?}"))),
    };
    let length = usize::from(count);
    let mut wrong = u8::from(length == 0 || length > block.len());
    for (place, byte) in block.iter().rev().enumerate().skip(1) {
        let expected = expected.unwrap_or(*byte);
        wrong |= u8::from(place < length) * (byte ^ expected);
    }
    if wrong == 0 {
        Ok(block.len() - length)
    } else {
        Err(Error::Refused)
    }
}
