//! Key pairs and certificates for tests.

use std::net::IpAddr;
use std::path::Path;

use rcgen::{CertificateParams, CertifiedKey, DnType, ExtendedKeyUsagePurpose, KeyPair};

/// The server's: an ECDSA P-256 certificate for `localhost` and its address.
pub fn server(address: IpAddr) -> CertifiedKey<KeyPair> {
    let mut params =
        CertificateParams::new(vec!["localhost".to_owned(), address.to_string()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params
        .extended_key_usages
        .push(ExtendedKeyUsagePurpose::ServerAuth);
    self_signed(&params)
}

/// A client's: self-signed, as vCenter makes them.
pub fn client(name: &str) -> CertifiedKey<KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    self_signed(&params)
}

fn self_signed(params: &CertificateParams) -> CertifiedKey<KeyPair> {
    let signing_key = KeyPair::generate().expect("a key pair");
    let cert = params.self_signed(&signing_key).expect("a certificate");
    CertifiedKey { cert, signing_key }
}

/// Writes `name.pem` and `name.key` into a folder, the key for its owner alone.
pub fn write(identity: &CertifiedKey<KeyPair>, folder: &Path, name: &str) {
    std::fs::write(folder.join(format!("{name}.pem")), identity.cert.pem())
        .expect("the folder can be written to");
    let key = folder.join(format!("{name}.key"));
    std::fs::write(&key, identity.signing_key.serialize_pem()).expect("the folder can be written to");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&key, mode).expect("the key's mode can be set");
}
