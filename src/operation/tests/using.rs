//! Keys that are used here: Encrypt, Decrypt, MAC, MAC Verify, Hash, RNG Retrieve, RNG Seed.

use std::sync::atomic::Ordering;

use super::server::{Server, create, get};
use crate::custody::EventName;
use crate::kmip::attribute::RevocationReason;
use crate::kmip::attribute::{
    Attribute, AttributeKind, AttributeValue, CryptographicParameters, UsageLimits,
};
use crate::kmip::enumeration::{
    BlockCipherMode, CryptographicAlgorithm, DataReference, HashingAlgorithm, PaddingMethod, ResultReason,
    ResultStatus, RevocationReasonCode, State, UsageLimitsUnit, ValidityIndicator,
};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::payload::{
    ActivateRequest, Data, DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, HashRequest,
    MacRequest, MacVerifyRequest, RequestPayload, ResponsePayload, RevokeRequest, RngRetrieveRequest,
    RngSeedRequest,
};
use crate::kmip::version::{V1_3, V2_1};
use crate::operation::{Limits, RandomSeed};

pub(super) const PLAIN: &[u8] = b"seventeen bytes..";
const IV: [u8; 16] = [9; 16];

fn parameters(mode: BlockCipherMode) -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(mode),
        padding_method: Some(PaddingMethod::PKCS5),
        ..CryptographicParameters::default()
    }
}

fn mask(mask: CryptographicUsageMask) -> Attribute {
    AttributeValue::CryptographicUsageMask(mask).into()
}

/// An Active key that encrypts and decrypts, with these attributes besides.
pub(super) async fn key(server: &Server, more: Vec<Attribute>) -> String {
    let id = server.create(more).await;
    server
        .done(RequestPayload::Activate(ActivateRequest {
            unique_identifier: Some(id.as_str().into()),
        }))
        .await;
    id
}

pub(super) fn encrypt<'a>(id: &'a str, mode: BlockCipherMode, data: &'a [u8]) -> EncryptRequest<'a> {
    EncryptRequest {
        unique_identifier: Some(id.into()),
        cryptographic_parameters: Some(Box::new(parameters(mode))),
        data: Some(data.into()),
        iv_counter_nonce: Some(&IV),
        ..EncryptRequest::default()
    }
}

pub(super) fn decrypt<'a>(id: &'a str, mode: BlockCipherMode, data: &'a [u8]) -> DecryptRequest<'a> {
    DecryptRequest {
        unique_identifier: Some(id.into()),
        cryptographic_parameters: Some(Box::new(parameters(mode))),
        data: Some(data.into()),
        iv_counter_nonce: Some(&IV),
        ..DecryptRequest::default()
    }
}

pub(super) async fn encrypted(server: &Server, request: EncryptRequest<'_>) -> EncryptResponse {
    match server.done(RequestPayload::Encrypt(request)).await {
        ResponsePayload::Encrypt(response) => response,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn decrypted(server: &Server, request: DecryptRequest<'_>) -> DecryptResponse {
    match server.done(RequestPayload::Decrypt(request)).await {
        ResponsePayload::Decrypt(response) => response,
        other => panic!("{other:?}"),
    }
}

pub(super) fn in_server() -> Limits {
    Limits {
        cryptography_in_server: true,
        ..Limits::default()
    }
}

#[tokio::test]
async fn what_was_encrypted_comes_back_in_every_mode() {
    use BlockCipherMode as M;
    let server = Server::with(in_server()).await;
    let id = key(&server, vec![]).await;
    for mode in [M::ECB, M::CBC, M::CFB, M::OFB, M::CTR, M::GCM] {
        let sealed = encrypted(&server, encrypt(&id, mode, PLAIN)).await;
        let data = sealed.data.expect("there is data");
        assert_ne!(&*data, PLAIN, "{mode}");
        let opened = decrypted(
            &server,
            DecryptRequest {
                authenticated_encryption_tag: sealed.authenticated_encryption_tag.as_deref(),
                ..decrypt(&id, mode, &data)
            },
        )
        .await;
        assert_eq!(opened.data.as_deref(), Some(PLAIN), "{mode}");
    }
}

#[tokio::test]
async fn a_key_is_used_on_its_device_and_the_record_says_so_without_the_data() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    encrypted(&server, encrypt(&id, BlockCipherMode::CBC, PLAIN)).await;
    let records = server.records().await;
    let record = records.last().expect("there is a record");
    assert_eq!(record.event, EventName::KmipEncrypt);
    let details = &record.details;
    assert_eq!(details["cryptography"], "device");
    assert_eq!(details["data-bytes"], "17");
    assert_eq!(details["cipher"], "AES in CBC mode");
    let root_key = record.root_key.as_ref().expect("a root key took part");
    assert_eq!(root_key.release_profile, None);
    let text = serde_json::to_string(record).expect("a record can be written");
    assert!(!text.contains("seventeen") && !text.contains(&hex::encode(PLAIN)));
}

#[tokio::test]
async fn a_key_leaves_its_device_to_be_used_only_where_the_operator_allowed_it() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let request = RequestPayload::Encrypt(encrypt(&id, BlockCipherMode::OFB, PLAIN));
    assert_eq!(server.refused(request).await, ResultReason::FeatureNotSupported);

    let server = Server::with(in_server()).await;
    let id = key(&server, vec![]).await;
    encrypted(&server, encrypt(&id, BlockCipherMode::OFB, PLAIN)).await;
    let records = server.records().await;
    let event = records.last().expect("there is a record");
    assert_eq!(event.details["cryptography"], "server");
    let root_key = event.root_key.as_ref().expect("a root key took part");
    assert_eq!(root_key.release_profile.as_deref(), Some("transport"));
}

#[tokio::test]
async fn data_that_was_changed_is_refused() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let sealed = encrypted(&server, encrypt(&id, BlockCipherMode::GCM, PLAIN)).await;
    let mut data = sealed.data.expect("there is data").to_vec();
    data[0] ^= 1;
    let request = DecryptRequest {
        authenticated_encryption_tag: sealed.authenticated_encryption_tag.as_deref(),
        ..decrypt(&id, BlockCipherMode::GCM, &data)
    };
    let reason = server.refused(RequestPayload::Decrypt(request)).await;
    assert_eq!(reason, ResultReason::CryptographicFailure);
    let request = decrypt(&id, BlockCipherMode::CBC, &data[..16]);
    let reason = server.refused(RequestPayload::Decrypt(request)).await;
    assert_eq!(reason, ResultReason::CryptographicFailure);
}

#[tokio::test]
async fn a_key_that_is_not_active_encrypts_nothing() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let request = || RequestPayload::Encrypt(encrypt(&id, BlockCipherMode::ECB, PLAIN));
    assert_eq!(server.refused(request()).await, ResultReason::PermissionDenied);
    let answer = server.ask_in(V2_1, &server.east, request()).await;
    assert_eq!(answer.result_reason, Some(ResultReason::WrongKeyLifecycleState));
    assert_eq!(server.backend.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_a_compromised_key_encrypted_can_be_read_and_no_more_is_encrypted() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let sealed = encrypted(&server, encrypt(&id, BlockCipherMode::ECB, PLAIN)).await;
    server
        .done(RequestPayload::Revoke(RevokeRequest {
            unique_identifier: Some(id.as_str().into()),
            revocation_reason: RevocationReason {
                code: RevocationReasonCode::KeyCompromise,
                message: None,
            },
            compromise_occurrence_date: None,
        }))
        .await;
    assert_eq!(server.state(&id).await, State::Compromised);
    let data = sealed.data.expect("there is data");
    let opened = decrypted(&server, decrypt(&id, BlockCipherMode::ECB, &data)).await;
    assert_eq!(opened.data.as_deref(), Some(PLAIN));
    let request = RequestPayload::Encrypt(encrypt(&id, BlockCipherMode::ECB, PLAIN));
    assert_eq!(server.refused(request).await, ResultReason::PermissionDenied);
}

#[tokio::test]
async fn a_key_does_what_its_usage_mask_has_and_nothing_else() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let request = || {
        RequestPayload::MAC(MacRequest {
            unique_identifier: Some(id.as_str().into()),
            data: Some(PLAIN.into()),
            ..MacRequest::default()
        })
    };
    assert_eq!(server.refused(request()).await, ResultReason::PermissionDenied);
    let answer = server.ask_in(V2_1, &server.east, request()).await;
    assert_eq!(
        answer.result_reason,
        Some(ResultReason::IncompatibleCryptographicUsageMask)
    );
}

#[tokio::test]
async fn nobody_uses_a_key_of_another_adapter() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let request = RequestPayload::Encrypt(encrypt(&id, BlockCipherMode::ECB, PLAIN));
    let answer = server.ask_in(V2_1, &server.west, request).await;
    assert_eq!(answer.result_reason, Some(ResultReason::ObjectNotFound));
}

#[tokio::test]
async fn usage_limits_end_encryption_and_not_decryption() {
    let server = Server::start().await;
    let limits = UsageLimits {
        total: 20,
        count: None,
        unit: UsageLimitsUnit::Byte,
    };
    let id = key(&server, vec![AttributeValue::UsageLimits(limits).into()]).await;
    let sealed = encrypted(&server, encrypt(&id, BlockCipherMode::ECB, PLAIN)).await;
    let request = RequestPayload::Encrypt(encrypt(&id, BlockCipherMode::ECB, PLAIN));
    assert_eq!(server.refused(request).await, ResultReason::PermissionDenied);
    let data = sealed.data.expect("there is data");
    decrypted(&server, decrypt(&id, BlockCipherMode::ECB, &data)).await;
    let left = server.attribute(&id, AttributeKind::UsageLimits).await;
    let [AttributeValue::UsageLimits(left)] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert_eq!(left.count, Some(3));
}

#[tokio::test]
async fn the_keys_own_parameters_count_where_the_request_has_none() {
    let server = Server::start().await;
    let own = CryptographicParameters {
        random_iv: Some(true),
        ..parameters(BlockCipherMode::CBC)
    };
    let id = key(
        &server,
        vec![AttributeValue::CryptographicParameters(Box::new(own)).into()],
    )
    .await;
    let sealed = encrypted(
        &server,
        EncryptRequest {
            unique_identifier: Some(id.as_str().into()),
            data: Some(PLAIN.into()),
            ..EncryptRequest::default()
        },
    )
    .await;
    assert_eq!(sealed.iv_counter_nonce.as_deref(), Some([0xA5; 16].as_slice()));
    let data = sealed.data.expect("there is data");
    let request = |iv| DecryptRequest {
        unique_identifier: Some(id.as_str().into()),
        data: Some(Data::Bytes(&data)),
        iv_counter_nonce: iv,
        ..DecryptRequest::default()
    };
    let opened = decrypted(&server, request(sealed.iv_counter_nonce.as_deref())).await;
    assert_eq!(opened.data.as_deref(), Some(PLAIN));
    let reason = server.refused(RequestPayload::Decrypt(request(None))).await;
    assert_eq!(reason, ResultReason::InvalidMessage);
}

#[tokio::test]
async fn a_cipher_text_is_not_given_without_its_tag() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let request = RequestPayload::Encrypt(encrypt(&id, BlockCipherMode::GCM, PLAIN));
    let answer = server.ask_in(V1_3, &server.east, request).await;
    assert_eq!(answer.result_reason, Some(ResultReason::FeatureNotSupported));
}

#[tokio::test]
async fn a_code_is_found_right_for_its_data_and_wrong_for_other_data() {
    let server = Server::with(in_server()).await;
    let usage = CryptographicUsageMask::MAC_GENERATE | CryptographicUsageMask::MAC_VERIFY;
    let id = mac_key(&server, usage).await;
    for algorithm in [CryptographicAlgorithm::AES, CryptographicAlgorithm::HMAC_SHA512] {
        let how = || {
            Some(Box::new(CryptographicParameters {
                cryptographic_algorithm: Some(algorithm),
                ..CryptographicParameters::default()
            }))
        };
        let made = server
            .done(RequestPayload::MAC(MacRequest {
                unique_identifier: Some(id.as_str().into()),
                cryptographic_parameters: how(),
                data: Some(PLAIN.into()),
                ..MacRequest::default()
            }))
            .await;
        let ResponsePayload::MAC(made) = made else {
            panic!("{made:?}");
        };
        let code = made.mac_data.expect("there is a code");
        for (data, expected) in [
            (PLAIN, ValidityIndicator::Valid),
            (&PLAIN[1..], ValidityIndicator::Invalid),
        ] {
            let compared = server
                .done(RequestPayload::MACVerify(MacVerifyRequest {
                    unique_identifier: Some(id.as_str().into()),
                    cryptographic_parameters: how(),
                    data: Some(data.into()),
                    mac_data: Some(code.as_slice().into()),
                    ..MacVerifyRequest::default()
                }))
                .await;
            let ResponsePayload::MACVerify(compared) = compared else {
                panic!("{compared:?}");
            };
            assert_eq!(compared.validity_indicator, Some(expected));
        }
    }
}

/// An Active AES key of this usage mask.
async fn mac_key(server: &Server, usage: CryptographicUsageMask) -> String {
    let RequestPayload::Create(mut request) = create(vec![]) else {
        unreachable!("it is a Create");
    };
    let attributes = &mut request.template_attribute.attributes;
    attributes.retain(|attribute| !matches!(attribute.value, AttributeValue::CryptographicUsageMask(_)));
    attributes.push(mask(usage));
    let ResponsePayload::Create(made) = server.done(RequestPayload::Create(request)).await else {
        panic!("another payload");
    };
    let id = made.unique_identifier;
    server
        .done(RequestPayload::Activate(ActivateRequest {
            unique_identifier: Some(id.as_str().into()),
        }))
        .await;
    id
}

#[tokio::test]
async fn a_hash_is_the_one_that_everybody_computes() {
    let server = Server::start().await;
    let request = HashRequest {
        cryptographic_parameters: Some(Box::new(CryptographicParameters {
            hashing_algorithm: Some(HashingAlgorithm::SHA_256),
            ..CryptographicParameters::default()
        })),
        data: Some(b"abc".as_slice().into()),
        ..HashRequest::default()
    };
    let ResponsePayload::Hash(hashed) = server.done(RequestPayload::Hash(request)).await else {
        panic!("another payload");
    };
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex::encode(&*hashed.data.expect("there is data")), expected);
}

#[tokio::test]
async fn random_numbers_come_from_the_device() {
    let server = Server::start().await;
    let request = |data_length| RequestPayload::RNGRetrieve(RngRetrieveRequest { data_length });
    let ResponsePayload::RNGRetrieve(random) = server.done(request(32)).await else {
        panic!("another payload");
    };
    assert_eq!(*random.data, [0xA5; 32]);
    for wrong in [0, -1, 65_536] {
        assert_eq!(server.refused(request(wrong)).await, ResultReason::InvalidField);
    }
}

#[tokio::test]
async fn the_device_is_given_as_much_of_a_seed_as_the_operator_allows() {
    for (policy, given) in [
        (RandomSeed::All, Some(32)),
        (RandomSeed::AtMost(16), Some(16)),
        (RandomSeed::AtMost(0), Some(0)),
        (RandomSeed::Refuse, None),
    ] {
        let server = Server::with(Limits {
            random_seed: policy,
            ..Limits::default()
        })
        .await;
        let request = RequestPayload::RNGSeed(RngSeedRequest {
            data: Data::Bytes(&[1; 32]),
        });
        let answer = server.ask(request).await;
        match answer.payload {
            Some(ResponsePayload::RNGSeed(seeded)) => assert_eq!(Some(seeded.data_length), given),
            None => assert_eq!(answer.result_reason, Some(ResultReason::PermissionDenied)),
            other => panic!("{other:?}"),
        }
        let seeded = server.backend.seeded.load(Ordering::SeqCst);
        assert_eq!(i32::try_from(seeded).ok(), given.or(Some(0)));
    }
}

#[tokio::test]
async fn an_item_works_on_what_the_item_before_it_answered() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let request = super::batches::batch(vec![
        RequestPayload::Encrypt(encrypt(&id, BlockCipherMode::CBC, PLAIN)),
        RequestPayload::Decrypt(DecryptRequest {
            data: Some(Data::Reference(DataReference::Encrypt)),
            ..decrypt(&id, BlockCipherMode::CBC, &[])
        }),
        RequestPayload::Encrypt(EncryptRequest {
            data: Some(Data::Position(-1)),
            ..encrypt(&id, BlockCipherMode::CBC, &[])
        }),
    ]);
    let mut request = request;
    request.header.protocol_version = V2_1;
    let response = server.message(&server.east, &request).await;
    let [first, second, third] = response.items.as_slice() else {
        panic!("{response:?}");
    };
    assert_eq!(third.result_status, ResultStatus::Success);
    let data = |item: &crate::kmip::message::ResponseItem<'_>| {
        item.payload
            .as_ref()
            .and_then(ResponsePayload::data)
            .expect("there is data")
            .to_vec()
    };
    assert_eq!(data(second), PLAIN);
    assert_eq!(data(third), data(first));
}

#[tokio::test]
async fn a_key_that_may_not_leave_can_be_used() {
    let server = Server::start().await;
    let id = key(&server, vec![AttributeValue::Extractable(false).into()]).await;
    assert_eq!(server.refused(get(&id)).await, ResultReason::NotExtractable);
    encrypted(&server, encrypt(&id, BlockCipherMode::CBC, PLAIN)).await;
}

#[tokio::test]
async fn a_device_that_does_not_answer_is_a_reason_to_try_again() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    server.backend.is_down.store(true, Ordering::SeqCst);
    let request = RequestPayload::Encrypt(encrypt(&id, BlockCipherMode::CBC, PLAIN));
    let reason = server.refused(request).await;
    assert_eq!(reason, ResultReason::GeneralFailure);
}
