//! Attributes, their names, and what is asked of them.

use claviger::kmip::attribute::{
    AlternativeName, ApplicationSpecificInformation, Attribute, AttributeKind, AttributeName,
    AttributePattern, AttributeValue, CryptographicDomainParameters, CryptographicParameters, Digest,
    KeyValueLocation, Link, Name, RevocationReason, RngParameters, RotateName, UsageLimits,
};
use claviger::kmip::enumeration::{
    BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, DrbgAlgorithm, HashingAlgorithm,
    MaskGenerator, RngAlgorithm,
};
use claviger::kmip::mask::{CryptographicUsageMask, ProtectionStorageMask};
use claviger::kmip::object::TemplateAttribute;
use claviger::kmip::tag::Tag;
use claviger::kmip::ttlv::Value;
use claviger::kmip::version::{V1_1, V1_2, V1_4};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::items::{simple_value, structure};
use super::{Scope, bytes, count, date, one_of, text};

pub(super) fn parameters(scope: Scope) -> impl Strategy<Value = CryptographicParameters> + 'static {
    (
        option::of(one_of::<BlockCipherMode>(scope)),
        option::of(one_of::<HashingAlgorithm>(scope)),
        scope.since(V1_2, one_of::<DigitalSignatureAlgorithm>(scope)),
        scope.since(V1_2, one_of::<CryptographicAlgorithm>(scope)),
        scope.optional(Tag::RANDOM_IV, any::<bool>()),
        scope.optional(Tag::IV_LENGTH, any::<i32>()),
        scope.since(
            V1_4,
            (
                any::<i32>(),
                one_of::<MaskGenerator>(scope),
                one_of::<HashingAlgorithm>(scope),
                bytes(),
            ),
        ),
    )
        .prop_map(
            |(block_cipher_mode, hash, signature, algorithm, random_iv, length, of_1_4)| {
                let (salt, generator, mask_hash, p_source) =
                    of_1_4.map_or((None, None, None, None), |(salt, generator, hash, p_source)| {
                        (Some(salt), Some(generator), Some(hash), Some(p_source))
                    });
                CryptographicParameters {
                    block_cipher_mode,
                    hashing_algorithm: hash,
                    digital_signature_algorithm: signature,
                    cryptographic_algorithm: algorithm,
                    random_iv,
                    iv_length: length,
                    tag_length: length,
                    salt_length: salt,
                    mask_generator: generator,
                    mask_generator_hashing_algorithm: mask_hash,
                    p_source,
                    trailer_field: salt,
                    ..CryptographicParameters::default()
                }
            },
        )
}

pub(super) fn rng_parameters(scope: Scope) -> impl Strategy<Value = RngParameters> + 'static {
    (
        one_of::<RngAlgorithm>(scope),
        option::of(one_of::<CryptographicAlgorithm>(scope)),
        option::of(one_of::<DrbgAlgorithm>(scope)),
        option::of(any::<bool>()),
    )
        .prop_map(
            |(rng_algorithm, cryptographic_algorithm, drbg_algorithm, prediction_resistance)| RngParameters {
                rng_algorithm,
                cryptographic_algorithm,
                cryptographic_length: None,
                hashing_algorithm: None,
                drbg_algorithm,
                recommended_curve: None,
                fips186_variation: None,
                prediction_resistance,
            },
        )
}

pub(super) fn revocation_reason(scope: Scope) -> impl Strategy<Value = RevocationReason> + 'static {
    (one_of(scope), option::of(text())).prop_map(|(code, message)| RevocationReason { code, message })
}

pub(super) fn usage_limits(scope: Scope) -> impl Strategy<Value = UsageLimits> + 'static {
    (any::<i64>(), option::of(any::<i64>()), one_of(scope)).prop_map(|(total, count, unit)| UsageLimits {
        total,
        count,
        unit,
    })
}

/// A value of an attribute of the specification.
#[allow(clippy::too_many_lines, reason = "one arm an attribute")]
fn standard_value(scope: Scope, kind: AttributeKind) -> BoxedStrategy<AttributeValue> {
    use AttributeKind as K;
    use AttributeValue as V;
    macro_rules! of {
        ($variant:ident, $strategy:expr) => {
            $strategy.prop_map(V::$variant).boxed()
        };
    }
    macro_rules! each {
        ($($variant:ident),*; $($certificate:ident),*; $($number:ident),*; $($flag:ident),*; $($moment:ident),*; $($other:pat => $value:expr,)*) => {
            match kind {
                $(K::$variant => of!($variant, text()),)*
                $(K::$certificate => of!($certificate, structure(scope)),)*
                $(K::$number => of!($number, any::<i32>()),)*
                $(K::$flag => of!($flag, any::<bool>()),)*
                $(K::$moment => of!($moment, date()),)*
                $($other => $value,)*
            }
        };
    }
    each! {
        UniqueIdentifier, OperationPolicyName, ObjectGroup, ContactInformation, PKCS_12FriendlyName, Description,
        Comment, CertificateSubjectCN, CertificateSubjectO, CertificateSubjectOU, CertificateSubjectEmail,
        CertificateSubjectC, CertificateSubjectST, CertificateSubjectL, CertificateSubjectUID,
        CertificateSubjectSerialNumber, CertificateSubjectTitle, CertificateSubjectDC, CertificateSubjectDNQualifier,
        CertificateIssuerCN, CertificateIssuerO, CertificateIssuerOU, CertificateIssuerEmail, CertificateIssuerC,
        CertificateIssuerST, CertificateIssuerL, CertificateIssuerUID, CertificateIssuerSerialNumber,
        CertificateIssuerTitle, CertificateIssuerDC, CertificateIssuerDNQualifier;
        X_509CertificateIdentifier, X_509CertificateSubject, X_509CertificateIssuer, CertificateIdentifier,
        CertificateSubject, CertificateIssuer;
        CryptographicLength, CertificateLength, RotateGeneration;
        Fresh, KeyValuePresent, Sensitive, AlwaysSensitive, Extractable, NeverExtractable, QuantumSafe,
        RotateAutomatic, RotateLatest;
        InitialDate, ActivationDate, ProcessStartDate, ProtectStopDate, DeactivationDate, DestroyDate,
        CompromiseOccurrenceDate, CompromiseDate, ArchiveDate, LastChangeDate, OriginalCreationDate, RotateDate;
        K::Name => of!(
            Name,
            (text(), one_of(scope)).prop_map(|(value, name_type)| Name { value, name_type })
        ),
        K::ObjectType => of!(ObjectType, one_of(scope)),
        K::CryptographicAlgorithm => of!(CryptographicAlgorithm, one_of(scope)),
        K::CryptographicParameters => of!(CryptographicParameters, parameters(scope).prop_map(Box::new)),
        K::CryptographicDomainParameters => of!(
            CryptographicDomainParameters,
            (option::of(any::<i32>()), option::of(one_of(scope))).prop_map(|(qlength, recommended_curve)| {
                CryptographicDomainParameters {
                    qlength,
                    recommended_curve,
                }
            })
        ),
        K::CertificateType => of!(CertificateType, one_of(scope)),
        K::DigitalSignatureAlgorithm => of!(DigitalSignatureAlgorithm, one_of(scope)),
        K::Digest => of!(
            Digest,
            (one_of(scope), option::of(bytes()), scope.since(V1_1, one_of(scope))).prop_map(
                |(hashing_algorithm, digest_value, key_format_type)| Digest {
                    hashing_algorithm,
                    digest_value,
                    key_format_type
                }
            )
        ),
        K::CryptographicUsageMask => of!(
            CryptographicUsageMask,
            any::<u32>().prop_map(CryptographicUsageMask::from_bits)
        ),
        K::LeaseTime => of!(LeaseTime, any::<u32>()),
        K::UsageLimits => of!(UsageLimits, usage_limits(scope)),
        K::State => of!(State, one_of(scope)),
        K::RevocationReason => of!(RevocationReason, revocation_reason(scope)),
        K::Link => of!(
            Link,
            (one_of(scope), text()).prop_map(|(link_type, linked_object_identifier)| Link {
                link_type,
                linked_object_identifier
            })
        ),
        K::ApplicationSpecificInformation => of!(
            ApplicationSpecificInformation,
            (text(), option::of(text())).prop_map(|(application_namespace, application_data)| {
                ApplicationSpecificInformation {
                    application_namespace,
                    application_data,
                }
            })
        ),
        K::AlternativeName => of!(
            AlternativeName,
            (text(), one_of(scope)).prop_map(|(value, name_type)| AlternativeName { value, name_type })
        ),
        K::KeyValueLocation => of!(
            KeyValueLocation,
            (text(), one_of(scope)).prop_map(|(value, location_type)| KeyValueLocation { value, location_type })
        ),
        K::RandomNumberGenerator => of!(RandomNumberGenerator, rng_parameters(scope)),
        K::KeyFormatType => of!(KeyFormatType, one_of(scope)),
        K::NISTKeyType => of!(NISTKeyType, one_of(scope)),
        K::OpaqueDataType => of!(OpaqueDataType, one_of(scope)),
        K::ProtectionLevel => of!(ProtectionLevel, one_of(scope)),
        K::ProtectionPeriod => of!(ProtectionPeriod, any::<u32>()),
        K::ProtectionStorageMask => of!(
            ProtectionStorageMask,
            any::<u32>().prop_map(ProtectionStorageMask::from_bits)
        ),
        K::ShortUniqueIdentifier => of!(ShortUniqueIdentifier, bytes()),
        K::RotateInterval => of!(RotateInterval, any::<u32>()),
        K::RotateOffset => of!(RotateOffset, any::<u32>()),
        K::RotateName => of!(
            RotateName,
            (text(), one_of(scope)).prop_map(|(value, name_type)| RotateName { value, name_type })
        ),
    }
}

/// The attributes of the specification that the version has.
fn kind(scope: Scope) -> impl Strategy<Value = AttributeKind> + 'static {
    let known: Vec<_> = AttributeKind::ALL
        .iter()
        .copied()
        .filter(|kind| kind.is_known_in(scope.knows))
        .collect();
    select(known)
}

/// A name of a custom attribute. From 2.0 on each has a vendor, so that there is none without.
pub(super) fn custom_name(scope: Scope) -> BoxedStrategy<String> {
    let names = ["x-Product", "y-Origin", "x-Acme:Shelf", "x-x:a:b", "neither"];
    let most = if scope.is_2_x() { 4 } else { 5 };
    select(names[..most].to_vec()).prop_map(str::to_owned).boxed()
}

/// What a custom attribute can hold.
pub(super) fn custom_value(scope: Scope) -> impl Strategy<Value = Value> + 'static {
    prop_oneof![simple_value(scope), structure(scope)]
}

/// A value of an attribute, custom ones included.
pub(crate) fn attribute_value(scope: impl Into<Scope>) -> impl Strategy<Value = AttributeValue> + 'static {
    let scope = scope.into();
    prop_oneof![
        4 => kind(scope).prop_flat_map(move |kind| standard_value(scope, kind)),
        1 => (custom_name(scope), custom_value(scope)).prop_map(|(name, value)| AttributeValue::Other { name, value }),
    ]
}

/// An attribute, which has no index from 2.0 on.
pub(super) fn attribute(scope: Scope) -> impl Strategy<Value = Attribute> + 'static {
    let index = if scope.is_2_x() {
        Just(None).boxed()
    } else {
        option::of(count()).boxed()
    };
    (index, attribute_value(scope)).prop_map(|(index, value)| Attribute { index, value })
}

pub(super) fn attributes(scope: Scope) -> impl Strategy<Value = Vec<Attribute>> + 'static {
    vec(attribute(scope), 0..5)
}

pub(super) fn attribute_name(scope: Scope) -> impl Strategy<Value = AttributeName> + 'static {
    prop_oneof![
        kind(scope).prop_map(AttributeName::Standard),
        custom_name(scope).prop_map(AttributeName::Other),
    ]
}

/// Attributes with names of templates, which are no more from 2.0 on.
pub(super) fn template_attribute(scope: Scope) -> impl Strategy<Value = TemplateAttribute> + 'static {
    let most = usize::from(!scope.is_2_x());
    (vec(text().prop_map(Name::text), 0..=most), attributes(scope))
        .prop_map(|(names, attributes)| TemplateAttribute { names, attributes })
}

pub(super) fn pattern(scope: Scope) -> impl Strategy<Value = AttributePattern> + 'static {
    attribute_value(scope).prop_map(|value| AttributePattern::equal_to(&value))
}
