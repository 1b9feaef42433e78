//! A certificate authority of this stand-in's own, and the certificate that its server shows.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Error, Form, files};

/// The file in the directory that a client trusts.
pub(crate) const AUTHORITY: &str = "ca.pem";
const SERVER: &str = "server.pem";
const KEY: &str = "server.key";

/// TLS 1.2 and 1.3 with the certificate in the directory, which is made where there is none.
pub(crate) fn server(directory: &Path, form: Form, instance: &str) -> Result<Arc<ServerConfig>, Error> {
    let (certificate, key) = (directory.join(SERVER), directory.join(KEY));
    if !key.exists() {
        make(directory, form, instance).map_err(|error| Error::Certificate(error.to_string()))??;
    }
    let chain = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect)
        .map_err(|error| Error::content(&certificate, error))?;
    let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| Error::content(&key, error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| Error::Certificate(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The key's file comes last: a certificate without it is made anew.
fn make(directory: &Path, form: Form, instance: &str) -> Result<Result<(), Error>, rcgen::Error> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name = name("Key Protect stand-in CA");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate()?;
    let mut names = form.host_names(instance);
    names.push("localhost".to_owned());
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name = name("Key Protect stand-in");
    server
        .subject_alt_names
        .push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = server.signed_by(&key, &issuer)?;
    let write = || {
        files::write(&directory.join(AUTHORITY), authority_certificate.pem().as_bytes())?;
        files::write(&directory.join(SERVER), certificate.pem().as_bytes())?;
        files::write(&directory.join(KEY), key.serialize_pem().as_bytes())
    };
    Ok(write())
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
