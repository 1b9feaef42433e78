//! Secrets that the server makes for others: shown once, kept as a digest alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::refusal::{Kind, Refusal};

/// So many bytes of chance, in base64 that may stand in an address.
pub(super) fn made_of<const BYTES: usize>() -> Result<Zeroizing<String>, Refusal> {
    let mut chance = Zeroizing::new([0; BYTES]);
    openssl::rand::rand_bytes(&mut *chance).map_err(|error| {
        Refusal::new(
            Kind::Internal,
            format!("the system gives no random bytes: {error}"),
        )
    })?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*chance)))
}
