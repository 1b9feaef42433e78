//! Key pairs and certificates for tests.

use std::net::IpAddr;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedKey, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

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

/// A client's that an authority issued, and the authority's certificate as PEM.
pub fn issued(name: &str) -> (CertifiedKey<KeyPair>, String) {
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, format!("authority of {name}"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key pair");
    let pem = authority.self_signed(&key).expect("a certificate").pem();
    let issuer = Issuer::from_params(&authority, key);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
        .extended_key_usages
        .push(ExtendedKeyUsagePurpose::ClientAuth);
    let signing_key = KeyPair::generate().expect("a key pair");
    let cert = params.signed_by(&signing_key, &issuer).expect("a certificate");
    (CertifiedKey { cert, signing_key }, pem)
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
