//! Data that comes in parts.

use super::server::Server;
use super::using::{PLAIN, decrypt, decrypted, encrypt, encrypted, in_server, key};
use crate::kmip::attribute::RevocationReason;
use crate::kmip::enumeration::{BlockCipherMode, ResultReason, RevocationReasonCode};
use crate::kmip::payload::{DecryptRequest, EncryptRequest, RequestPayload, RevokeRequest};

/// Encrypts data in parts of this length, and returns the cipher text with its tag.
async fn encrypted_in_parts(
    server: &Server,
    id: &str,
    mode: BlockCipherMode,
    length: usize,
) -> (Vec<u8>, Option<Vec<u8>>) {
    let mut out = Vec::new();
    let mut correlation: Option<Vec<u8>> = None;
    for part in PLAIN.chunks(length) {
        let answer = encrypted(
            server,
            EncryptRequest {
                init_indicator: correlation.is_none().then_some(true),
                correlation_value: correlation.as_deref(),
                ..encrypt(id, mode, part)
            },
        )
        .await;
        out.extend_from_slice(answer.data.as_deref().unwrap_or_default());
        assert!(answer.authenticated_encryption_tag.is_none());
        correlation = answer.correlation_value;
    }
    let last = encrypted(
        server,
        EncryptRequest {
            correlation_value: correlation.as_deref(),
            final_indicator: Some(true),
            ..encrypt(id, mode, &[])
        },
    )
    .await;
    assert_eq!(last.correlation_value, None);
    out.extend_from_slice(last.data.as_deref().unwrap_or_default());
    (out, last.authenticated_encryption_tag)
}

#[tokio::test]
async fn parts_of_any_length_give_the_same_as_the_whole() {
    use BlockCipherMode as M;
    let server = Server::with(in_server()).await;
    let id = key(&server, vec![]).await;
    for mode in [M::ECB, M::CBC, M::CFB, M::OFB, M::CTR, M::GCM] {
        let whole = encrypted(&server, encrypt(&id, mode, PLAIN)).await;
        for length in [1, 5, 16, 17] {
            let (data, tag) = encrypted_in_parts(&server, &id, mode, length).await;
            assert_eq!(whole.data.as_deref(), Some(data.as_slice()), "{mode} {length}");
            assert_eq!(whole.authenticated_encryption_tag, tag, "{mode} {length}");
        }
    }
}

#[tokio::test]
async fn what_was_encrypted_is_decrypted_in_parts() {
    use BlockCipherMode as M;
    let server = Server::with(in_server()).await;
    let id = key(&server, vec![]).await;
    for mode in [M::ECB, M::CBC, M::CFB, M::OFB, M::CTR, M::GCM] {
        let whole = encrypted(&server, encrypt(&id, mode, PLAIN)).await;
        let sealed = whole.data.expect("there is data");
        let (first, last) = sealed.split_at(7);
        let begun = decrypted(
            &server,
            DecryptRequest {
                init_indicator: Some(true),
                ..decrypt(&id, mode, first)
            },
        )
        .await;
        let mut opened = begun.data.as_deref().unwrap_or_default().to_vec();
        if mode == M::GCM {
            assert!(
                opened.is_empty(),
                "nothing is given out before the tag was found right"
            );
        }
        let ended = decrypted(
            &server,
            DecryptRequest {
                correlation_value: begun.correlation_value.as_deref(),
                final_indicator: Some(true),
                authenticated_encryption_tag: whole.authenticated_encryption_tag.as_deref(),
                ..decrypt(&id, mode, last)
            },
        )
        .await;
        opened.extend_from_slice(ended.data.as_deref().unwrap_or_default());
        assert_eq!(opened, PLAIN, "{mode}");
    }
}

async fn begun(server: &Server, id: &str) -> Vec<u8> {
    let request = EncryptRequest {
        init_indicator: Some(true),
        ..encrypt(id, BlockCipherMode::CBC, PLAIN)
    };
    let answer = encrypted(server, request).await;
    answer.correlation_value.expect("it goes on")
}

fn goes_on<'a>(id: &'a str, correlation: &'a [u8]) -> RequestPayload<'a> {
    RequestPayload::Encrypt(EncryptRequest {
        correlation_value: Some(correlation),
        ..encrypt(id, BlockCipherMode::CBC, PLAIN)
    })
}

#[tokio::test]
async fn a_stream_is_the_clients_that_began_it() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let correlation = begun(&server, &id).await;
    let answer = server
        .ask_in(
            crate::kmip::version::V2_1,
            &server.west,
            goes_on(&id, &correlation),
        )
        .await;
    assert_eq!(answer.result_reason, Some(ResultReason::InvalidCorrelationValue));
    server.done(goes_on(&id, &correlation)).await;
}

#[tokio::test]
async fn a_stream_is_over_when_nothing_came_for_long() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let correlation = begun(&server, &id).await;
    server.wait(15 * 60 + 1);
    let reason = server.refused(goes_on(&id, &correlation)).await;
    assert_eq!(reason, ResultReason::InvalidField);
}

#[tokio::test]
async fn a_stream_ends_with_its_key() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let correlation = begun(&server, &id).await;
    server
        .done(RequestPayload::Revoke(RevokeRequest {
            unique_identifier: Some(id.as_str().into()),
            revocation_reason: RevocationReason {
                code: RevocationReasonCode::Unspecified,
                message: None,
            },
            compromise_occurrence_date: None,
        }))
        .await;
    let reason = server.refused(goes_on(&id, &correlation)).await;
    assert_eq!(reason, ResultReason::PermissionDenied);
}

#[tokio::test]
async fn a_stream_belongs_to_its_key_and_its_operation() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let other = key(&server, vec![]).await;
    let correlation = begun(&server, &id).await;
    let request = DecryptRequest {
        correlation_value: Some(&correlation),
        ..decrypt(&id, BlockCipherMode::CBC, PLAIN)
    };
    let reason = server.refused(RequestPayload::Decrypt(request)).await;
    assert_eq!(reason, ResultReason::InvalidField);
    let reason = server.refused(goes_on(&other, &correlation)).await;
    assert_eq!(reason, ResultReason::InvalidField);
}

#[tokio::test]
async fn streams_do_not_fill_the_server() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    for _ in 0..128 {
        begun(&server, &id).await;
    }
    let request = EncryptRequest {
        init_indicator: Some(true),
        ..encrypt(&id, BlockCipherMode::CBC, PLAIN)
    };
    let reason = server.refused(RequestPayload::Encrypt(request)).await;
    assert_eq!(reason, ResultReason::GeneralFailure);
}
