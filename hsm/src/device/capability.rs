//! What the device can do with keys, found by doing it with keys that are thrown away.

use cryptoki::object::Attribute;

use super::kek;
use super::mac::{key_type, mac_with};
use super::session::Session;
use super::{cipher, derivation};
use crate::Error;
use crate::cryptography::{Aead, Capabilities, Cipher, CipherMode, DerivingCipher, MacAlgorithm};
use crate::key::KeyKind;

const AES_256: KeyKind = KeyKind::Aes { bytes: 32 };
/// As long as the longest code: some devices take no shorter key.
const SECRET: KeyKind = KeyKind::Generic { bytes: 64 };
const BLOCK: [u8; 16] = [0; 16];

/// Tries everything once.
pub(crate) fn capabilities(session: &Session) -> Result<Capabilities, Error> {
    let aes = able(session, AES_256, &[Attribute::Encrypt(true)])?;
    let ciphers = CipherMode::ALL.into_iter().filter(|mode| {
        let encrypted = cipher::encrypt_with(session, aes.handle(), &example(*mode), &BLOCK);
        encrypted.is_ok()
    });
    let ciphers = ciphers.collect();
    drop(aes);

    let macs = MacAlgorithm::ALL.into_iter().filter(|algorithm| {
        let kind = if key_type(*algorithm) == cryptoki::object::KeyType::AES {
            AES_256
        } else {
            SECRET
        };
        able(session, kind, &[Attribute::Sign(true)])
            .and_then(|key| mac_with(session, key.handle(), *algorithm, &BLOCK))
            .is_ok()
    });
    let macs = macs.collect();

    let mut seed = [0; 32];
    session.random(&mut seed)?;
    let takes_seed = session.seed(&seed).unwrap_or(false);

    let derives = |cipher| {
        able(session, AES_256, &[Attribute::Derive(true)])
            .and_then(|base| {
                let (data, template) = ([0; 32], kek::template(AES_256));
                derivation::derive_with(session, base.handle(), cipher, &data, AES_256, &template).map(drop)
            })
            .is_ok()
    };
    let derives_by_encryption = derives(DerivingCipher::Ecb) && derives(DerivingCipher::Cbc { iv: BLOCK });
    Ok(Capabilities {
        ciphers,
        macs,
        takes_seed,
        derives_by_encryption,
    })
}

fn able<'a>(
    session: &'a Session,
    kind: KeyKind,
    purpose: &[Attribute],
) -> Result<super::session::SessionObject<'a>, Error> {
    let mut template = kek::template(kind);
    template.retain(|attribute| {
        let same = |own: &Attribute| std::mem::discriminant(own) == std::mem::discriminant(attribute);
        !purpose.iter().any(same)
    });
    template.extend_from_slice(purpose);
    kek::make(session, kind, &template)
}

fn example(mode: CipherMode) -> Cipher {
    let aead = Aead {
        nonce: vec![0; 12],
        additional_data: vec![0; 4],
        tag_bytes: 16,
    };
    let iv = BLOCK;
    match mode {
        CipherMode::Ecb => Cipher::Ecb,
        CipherMode::Cbc => Cipher::Cbc { iv },
        CipherMode::CbcPad => Cipher::CbcPad { iv },
        CipherMode::Cfb => Cipher::Cfb { iv },
        CipherMode::Ofb => Cipher::Ofb { iv },
        CipherMode::Ctr => Cipher::Ctr {
            counter_block: iv,
            counter_bits: 128,
        },
        CipherMode::Gcm => Cipher::Gcm(aead),
        CipherMode::Ccm => Cipher::Ccm(aead),
    }
}
