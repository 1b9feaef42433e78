//! The proof of possession: a handshake signed with the private key of the client's certificate.
//!
//! webpki reads only certificates of version 3, and some clients have version 1. The certificate itself is pinned, so
//! all that is needed of it is its public key, which is read here with `x509-parser` for every client alike. The
//! checks are those of webpki: the key's algorithm identifier has to be the one that the signature scheme asks for.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved};
use x509_parser::asn1_rs::Any;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A signature of TLS 1.3, whose scheme names the one algorithm and curve (RFC 8446, 4.2.3).
pub(super) fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let certificate = parse(certificate)?;
    let key = SubjectPublicKeyInfoDer::from(certificate.tbs_certificate.subject_pki.raw);
    verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
}

/// A signature of TLS 1.2, whose scheme names the hash and the kind of key and leaves the curve to the key (RFC 5246,
/// 7.4.1.4.1; RFC 8422, 5.10).
pub(super) fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let certificate = parse(certificate)?;
    let key = &certificate.tbs_certificate.subject_pki;
    let identifier = algorithm_identifier(key.raw)?;
    let (_, candidates) = algorithms
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signed.scheme)
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let algorithm = candidates
        .iter()
        .find(|candidate| *candidate.public_key_alg_id() == *identifier)
        .ok_or(CertificateError::BadSignature)?;
    algorithm
        .verify_signature(&key.subject_public_key.data, message, signed.signature())
        .map(|()| HandshakeSignatureValid::assertion())
        .map_err(|_| CertificateError::BadSignature.into())
}

fn parse<'d>(certificate: &'d CertificateDer<'_>) -> Result<X509Certificate<'d>, Error> {
    match X509Certificate::from_der(certificate) {
        Ok((_, parsed)) => Ok(parsed),
        Err(_) => Err(CertificateError::BadEncoding.into()),
    }
}

/// The contents of the `AlgorithmIdentifier` in a `SubjectPublicKeyInfo` (RFC 5280, 4.1), as webpki compares it.
fn algorithm_identifier(key: &[u8]) -> Result<&[u8], Error> {
    Any::from_der(key)
        .and_then(|(_, key)| Any::from_der(key.data))
        .map(|(_, identifier)| identifier.data)
        .map_err(|_| CertificateError::BadEncoding.into())
}
