//! Root keys that are brought from elsewhere.

use std::path::Path;

use super::super::client::{Client, path};
use super::super::exit::Failure;
use super::super::output::{Output, say};
use super::show::properties;
use crate::admin::api::{ImportOffer, ImportRootKey, OfferImport, RootKey};

/// Has the device make an RSA key, and prints its public key.
pub(super) async fn offer(
    client: &Client,
    output: Output,
    name: String,
    device: Option<String>,
) -> Result<(), Failure> {
    let asked = OfferImport {
        name,
        backend: device,
    };
    let offer: ImportOffer = client.post(path(["root-key-offers"]), &asked).await?;
    output.data(&offer, |offer| offer.public_key.clone())?;
    say(format_args!(
        "wrap the 32 bytes of the key under it, where they are now: `openssl pkeyutl -encrypt -pubin -inkey PUBLIC \
         -in KEY -out WRAPPED -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt \
         rsa_mgf1_md:sha256` (sha1 for a device that knows no other), then `claviger root-key import {} --wrapped \
         WRAPPED`",
        offer.name
    ));
    Ok(())
}

/// Sends what was wrapped under it.
pub(super) async fn take_in(
    client: &Client,
    output: Output,
    name: String,
    device: Option<String>,
    file: &Path,
) -> Result<(), Failure> {
    let wrapped = std::fs::read(file)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", file.display())))?;
    let asked = ImportRootKey {
        name,
        backend: device,
        wrapped: hex::encode(wrapped),
    };
    let made: RootKey = client.post(path(["root-key-imports"]), &asked).await?;
    output.data(&made, properties)?;
    say(format_args!(
        "root key {} is on {}; destroy every other copy that is not needed",
        made.name, made.token_label
    ));
    Ok(())
}
