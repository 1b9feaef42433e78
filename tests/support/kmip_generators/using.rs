//! Payloads of what keys are used for, of derived keys, and of objects that are moved between servers.

use claviger::kmip::enumeration::DataReference;
use claviger::kmip::payload::{
    Data, DecryptRequest, DecryptResponse, DerivationParameters, DeriveKeyRequest, DeriveKeyResponse,
    EncryptRequest, EncryptResponse, ExportRequest, ExportResponse, HashRequest, HashResponse, ImportRequest,
    ImportResponse, MacRequest, MacResponse, MacVerifyRequest, MacVerifyResponse, ProducedData,
    RequestPayload, ResponsePayload, RngRetrieveRequest, RngRetrieveResponse, RngSeedRequest,
    RngSeedResponse, UniqueIdentifier,
};
use claviger::kmip::version::{V1_2, V1_3, V1_4};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::attributes::{attributes, parameters, template_attribute};
use super::objects::{object, wrapping_specification};
use super::requests::identifier;
use super::{BYTES, IDENTIFIERS, Scope, bytes, one_of, text};

type Request = BoxedStrategy<RequestPayload<'static>>;
type Response = BoxedStrategy<ResponsePayload<'static>>;

fn borrowed() -> impl Strategy<Value = &'static [u8]> {
    select(&BYTES[..])
}

/// Data, which from 2.0 on can be what an item before answered.
fn data(scope: Scope) -> BoxedStrategy<Data<'static>> {
    let itself = borrowed().prop_map(Data::Bytes);
    if scope.is_2_x() {
        let reference = one_of::<DataReference>(scope).prop_map(Data::Reference);
        prop_oneof![itself, reference, any::<i32>().prop_map(Data::Position)].boxed()
    } else {
        itself.boxed()
    }
}

fn produced() -> impl Strategy<Value = ProducedData> {
    bytes().prop_map(ProducedData::from)
}

/// The fields of an operation that can be done in parts, which came with 1.3: Correlation Value, Init and Final Indicator.
fn parts(
    scope: Scope,
) -> impl Strategy<Value = (Option<&'static [u8]>, Option<bool>, Option<bool>)> + 'static {
    (
        scope.since(V1_3, borrowed()),
        scope.since(V1_3, any::<bool>()),
        scope.since(V1_3, any::<bool>()),
    )
}

fn ciphers(scope: Scope) -> Vec<Request> {
    let fields = move || {
        (
            identifier(scope),
            option::of(parameters(scope).prop_map(Box::new)),
            option::of(data(scope)),
            option::of(borrowed()),
            parts(scope),
            scope.since(V1_4, borrowed()),
        )
    };
    let encrypt = fields().prop_map(|(unique_identifier, parameters, data, iv, parts, additional)| {
        RequestPayload::Encrypt(EncryptRequest {
            unique_identifier,
            cryptographic_parameters: parameters,
            data,
            iv_counter_nonce: iv,
            correlation_value: parts.0,
            init_indicator: parts.1,
            final_indicator: parts.2,
            authenticated_encryption_additional_data: additional,
        })
    });
    let decrypt = (fields(), scope.since(V1_4, borrowed())).prop_map(
        |((unique_identifier, parameters, data, iv, parts, additional), tag)| {
            RequestPayload::Decrypt(DecryptRequest {
                unique_identifier,
                cryptographic_parameters: parameters,
                data,
                iv_counter_nonce: iv,
                correlation_value: parts.0,
                init_indicator: parts.1,
                final_indicator: parts.2,
                authenticated_encryption_additional_data: additional,
                authenticated_encryption_tag: tag,
            })
        },
    );
    vec![encrypt.boxed(), decrypt.boxed()]
}

fn codes(scope: Scope) -> Vec<Request> {
    let parameters = move || option::of(parameters(scope).prop_map(Box::new));
    let mac = (
        identifier(scope),
        parameters(),
        option::of(data(scope)),
        parts(scope),
    )
        .prop_map(|(unique_identifier, cryptographic_parameters, data, parts)| {
            RequestPayload::MAC(MacRequest {
                unique_identifier,
                cryptographic_parameters,
                data,
                correlation_value: parts.0,
                init_indicator: parts.1,
                final_indicator: parts.2,
            })
        });
    let verify = (
        identifier(scope),
        parameters(),
        option::of(data(scope)),
        option::of(data(scope)),
        parts(scope),
    )
        .prop_map(
            |(unique_identifier, cryptographic_parameters, data, mac_data, parts)| {
                RequestPayload::MACVerify(MacVerifyRequest {
                    unique_identifier,
                    cryptographic_parameters,
                    data,
                    mac_data,
                    correlation_value: parts.0,
                    init_indicator: parts.1,
                    final_indicator: parts.2,
                })
            },
        );
    let hash = (parameters(), option::of(data(scope)), parts(scope)).prop_map(
        |(cryptographic_parameters, data, parts)| {
            RequestPayload::Hash(HashRequest {
                cryptographic_parameters,
                data,
                correlation_value: parts.0,
                init_indicator: parts.1,
                final_indicator: parts.2,
            })
        },
    );
    vec![mac.boxed(), verify.boxed(), hash.boxed()]
}

fn derive_key(scope: Scope) -> Request {
    let named = select(&IDENTIFIERS[..]).prop_map(UniqueIdentifier::Text);
    let derivation = (
        option::of(parameters(scope).prop_map(Box::new)),
        option::of(borrowed()),
        // Several came with 2.0.
        vec(borrowed(), 0..if scope.is_2_x() { 3 } else { 2 }),
        option::of(borrowed()),
        option::of(any::<i32>()),
    )
        .prop_map(
            |(cryptographic_parameters, initialization_vector, derivation_data, salt, iteration_count)| {
                DerivationParameters {
                    cryptographic_parameters,
                    initialization_vector,
                    derivation_data,
                    salt,
                    iteration_count,
                }
            },
        );
    (
        one_of(scope),
        vec(named, 1..4),
        one_of(scope),
        derivation,
        template_attribute(scope),
    )
        .prop_map(
            |(
                object_type,
                unique_identifiers,
                derivation_method,
                derivation_parameters,
                template_attribute,
            )| {
                RequestPayload::DeriveKey(DeriveKeyRequest {
                    object_type,
                    unique_identifiers,
                    derivation_method,
                    derivation_parameters,
                    template_attribute,
                })
            },
        )
        .boxed()
}

fn moving(scope: Scope) -> Vec<Request> {
    let export = (
        identifier(scope),
        option::of(one_of(scope)),
        option::of(one_of(scope)),
        option::of(wrapping_specification(scope)),
    )
        .prop_map(
            |(unique_identifier, key_format_type, key_wrap_type, specification)| {
                RequestPayload::Export(ExportRequest {
                    unique_identifier,
                    key_format_type,
                    key_wrap_type,
                    key_compression_type: None,
                    key_wrapping_specification: specification.map(Box::new),
                })
            },
        );
    let import = (
        select(&IDENTIFIERS[..]).prop_map(UniqueIdentifier::Text),
        option::of(one_of(scope)),
        option::of(any::<bool>()),
        option::of(one_of(scope)),
        attributes(scope),
        object(scope),
    )
        .prop_map(
            |(unique_identifier, object_type, replace_existing, key_wrap_type, attributes, object)| {
                RequestPayload::Import(ImportRequest {
                    unique_identifier,
                    object_type,
                    replace_existing,
                    key_wrap_type,
                    attributes: attributes.into(),
                    object,
                })
            },
        );
    vec![export.boxed(), import.boxed()]
}

/// The requests that the version has.
pub(super) fn requests(scope: Scope) -> Vec<Request> {
    use RequestPayload as P;
    let mut requests = vec![derive_key(scope)];
    if scope.wire >= V1_2 {
        requests.extend(ciphers(scope));
        requests.extend(codes(scope));
        let retrieve =
            any::<i32>().prop_map(|data_length| P::RNGRetrieve(RngRetrieveRequest { data_length }));
        let seed = data(scope).prop_map(|data| P::RNGSeed(RngSeedRequest { data }));
        requests.extend([retrieve.boxed(), seed.boxed()]);
    }
    if scope.wire >= V1_4 {
        requests.extend(moving(scope));
    }
    requests
}

/// The responses that the version has.
pub(super) fn responses(scope: Scope) -> Vec<Response> {
    use ResponsePayload as P;
    let mut responses = vec![
        (text(), option::of(template_attribute(scope)))
            .prop_map(|(unique_identifier, template_attribute)| {
                P::DeriveKey(DeriveKeyResponse {
                    unique_identifier,
                    template_attribute,
                })
            })
            .boxed(),
    ];
    if scope.wire >= V1_2 {
        let correlation = move || scope.since(V1_3, bytes());
        responses.extend([
            (
                text(),
                option::of(produced()),
                option::of(bytes()),
                correlation(),
                scope.since(V1_4, bytes()),
            )
                .prop_map(|(unique_identifier, data, iv, correlation_value, tag)| {
                    P::Encrypt(EncryptResponse {
                        unique_identifier,
                        data,
                        iv_counter_nonce: iv,
                        correlation_value,
                        authenticated_encryption_tag: tag,
                    })
                })
                .boxed(),
            (text(), option::of(produced()), correlation())
                .prop_map(|(unique_identifier, data, correlation_value)| {
                    P::Decrypt(DecryptResponse {
                        unique_identifier,
                        data,
                        correlation_value,
                    })
                })
                .boxed(),
            (text(), option::of(bytes()), correlation())
                .prop_map(|(unique_identifier, mac_data, correlation_value)| {
                    P::MAC(MacResponse {
                        unique_identifier,
                        mac_data,
                        correlation_value,
                    })
                })
                .boxed(),
            (text(), option::of(one_of(scope)), correlation())
                .prop_map(|(unique_identifier, validity_indicator, correlation_value)| {
                    P::MACVerify(MacVerifyResponse {
                        unique_identifier,
                        validity_indicator,
                        correlation_value,
                    })
                })
                .boxed(),
            (option::of(produced()), correlation())
                .prop_map(|(data, correlation_value)| {
                    P::Hash(HashResponse {
                        data,
                        correlation_value,
                    })
                })
                .boxed(),
            produced()
                .prop_map(|data| P::RNGRetrieve(RngRetrieveResponse { data }))
                .boxed(),
            any::<i32>()
                .prop_map(|data_length| P::RNGSeed(RngSeedResponse { data_length }))
                .boxed(),
        ]);
    }
    if scope.wire >= V1_4 {
        responses.push(
            text()
                .prop_map(|unique_identifier| P::Import(ImportResponse { unique_identifier }))
                .boxed(),
        );
        responses.push(
            (text(), attributes(scope), object(scope))
                .prop_map(|(unique_identifier, attributes, object)| {
                    P::Export(ExportResponse {
                        unique_identifier,
                        attributes: attributes.into(),
                        object,
                    })
                })
                .boxed(),
        );
    }
    responses
}
