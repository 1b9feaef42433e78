//! Import tokens: an RSA key under which key material is brought, and a nonce that proves that it arrived.
//!
//! The pair is in this process and not on the token, since the nonce comes back encrypted with the material.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::symm::{Cipher, decrypt, decrypt_aead};
use serde::Deserialize;
use serde_json::{Value, json};
use time::Duration;

use crate::calls::body::{Material, base64};
use crate::calls::request::Request;
use crate::calls::{Reply, form};
use crate::model::ImportToken;
use crate::random;
use crate::refusal::Refusal;
use crate::service::Service;

const RSA_BITS: u32 = 4096;
const SEALED: &[u8] = b"import token";
/// Of GCM, at the end of the nonce.
const TAG: usize = 16;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewToken {
    expiration: Option<f64>,
    max_allowed_retrievals: Option<f64>,
}

pub(super) async fn create(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let body: NewToken = request.optional_body()?;
    let expiration = number("expiration", body.expiration, 600, 300, 86_400)?;
    let retrievals = number("maxAllowedRetrievals", body.max_allowed_retrievals, 1, 1, 500)?;
    let pair =
        tokio::task::spawn_blocking(|| PKey::from_rsa(Rsa::generate(RSA_BITS)?)?.private_key_to_pkcs8());
    let pair = pair
        .await
        .map_err(Refusal::internal)?
        .map_err(Refusal::internal)?;
    let token = ImportToken {
        created: request.now,
        expires: request.now + Duration::seconds(i64::try_from(expiration).unwrap_or(i64::MAX)),
        expiration,
        retrievals,
        remaining: retrievals,
        private_key: service.vault.seal().seal(SEALED, &pair),
        nonce: random::<12>().to_vec(),
    };
    let form = described(&token);
    let put = service.store.change(|state| {
        state.put_import_token(token);
        Ok(())
    });
    put.await?;
    Ok(Reply::ok(form))
}

/// A number that a client writes as a fraction, since its language has no other.
fn number(field: &str, value: Option<f64>, default: u64, least: u64, most: u64) -> Result<u64, Refusal> {
    let Some(value) = value else {
        return Ok(default);
    };
    let number = format!("{value:.0}").parse().ok();
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| Refusal::invalid_field(field, format!("{least} to {most} is expected")))
}

pub(super) async fn get(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let token = service.store.change(|state| {
        let token = state.import_token().ok_or_else(Refusal::import_token_not_found)?;
        if token.remaining == 0 || token.expires <= request.now {
            return Err(Refusal::import_token_expired());
        }
        let mut token = token.clone();
        token.remaining -= 1;
        state.put_import_token(token.clone());
        Ok(token)
    });
    let token = token.await?;
    let pem = pair(service, &token)?
        .public_key_to_pem()
        .map_err(Refusal::internal)?;
    let mut form = described(&token);
    form["payload"] = STANDARD.encode(pem).into();
    form["nonce"] = STANDARD.encode(&token.nonce).into();
    Ok(Reply::ok(form))
}

fn described(token: &ImportToken) -> Value {
    json!({
        "expiration": token.expiration,
        "maxAllowedRetrievals": token.retrievals,
        "creationDate": form::date(token.created),
        "expirationDate": form::date(token.expires),
        "remainingRetrievals": token.remaining,
    })
}

fn pair(service: &Service, token: &ImportToken) -> Result<PKey<Private>, Refusal> {
    let pair = service.vault.seal().open(SEALED, &token.private_key);
    let pair = pair.ok_or_else(|| Refusal::internal("the import token's key was changed"))?;
    PKey::private_key_from_pkcs8(&pair).map_err(Refusal::internal)
}

/// The material that came under the token's key, where the nonce that came with it is the token's.
pub(super) fn open(
    service: &Service,
    request: &Request,
    body: &Material,
    payload: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let token = service.store.read(|state| state.import_token().cloned());
    let token = token.ok_or_else(Refusal::import_token_not_found)?;
    if token.expires <= request.now {
        return Err(Refusal::import_token_expired());
    }
    let digest = match body.encryption_algorithm.as_deref() {
        None | Some("RSAES_OAEP_SHA_256") => MessageDigest::sha256(),
        Some("RSAES_OAEP_SHA_1") => MessageDigest::sha1(),
        Some(_) => return Err(Refusal::invalid_field("encryptionAlgorithm", "it is not known")),
    };
    let opened = unwrapped(&pair(service, &token)?, digest, payload);
    let material =
        opened.map_err(|_| Refusal::invalid_field("payload", "the import token does not open it"))?;
    let nonce = base64(
        "encryptedNonce",
        body.encrypted_nonce.as_deref().unwrap_or_default(),
    )?;
    let iv = base64("iv", body.iv.as_deref().unwrap_or_default())?;
    let nonce = decrypted(&material, &iv, &nonce).ok_or_else(Refusal::incorrect_nonce_iv)?;
    if nonce.len() != token.nonce.len() || !memcmp::eq(&nonce, &token.nonce) {
        return Err(Refusal::incorrect_nonce());
    }
    Ok(material)
}

fn unwrapped(pair: &PKey<Private>, digest: MessageDigest, payload: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut decrypter = Decrypter::new(pair)?;
    decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    decrypter.set_rsa_oaep_md(digest)?;
    decrypter.set_rsa_mgf1_md(digest)?;
    let mut material = vec![0; decrypter.decrypt_len(payload)?];
    let length = decrypter.decrypt(payload, &mut material)?;
    material.truncate(length);
    Ok(material)
}

/// The nonce: AES-GCM with an initialisation vector of 12 bytes, or, at HPCS, AES-CBC with one of 16.
fn decrypted(material: &[u8], iv: &[u8], nonce: &[u8]) -> Option<Vec<u8>> {
    let (gcm, cbc) = match material.len() {
        16 => (Cipher::aes_128_gcm(), Cipher::aes_128_cbc()),
        24 => (Cipher::aes_192_gcm(), Cipher::aes_192_cbc()),
        32 => (Cipher::aes_256_gcm(), Cipher::aes_256_cbc()),
        _ => return None,
    };
    match iv.len() {
        12 => {
            let (nonce, tag) = nonce.split_last_chunk::<TAG>()?;
            decrypt_aead(gcm, material, Some(iv), &[], nonce, tag).ok()
        }
        16 => decrypt(cbc, material, Some(iv), nonce).ok(),
        _ => None,
    }
}
