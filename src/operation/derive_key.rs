//! Derive Key (KMIP 1.4, section 4.6; KMIP 2.1, section 6.1.14): a key or secret data made out of a key or secret data.
//!
//! By ENCRYPT with AES in ECB or CBC mode the device derives, and neither key leaves it. All else is done here, in locked
//! memory, where the operator allowed that, and the device takes what comes of it in as it takes in what is registered.
//!
//! HASH hashes the base; it is not mixed with data. Of two objects the second is secret data that is the Derivation Data.

use claviger_hsm::memory::LockedBuffer;
use uuid::Uuid;

use super::cipher_method::{BLOCK, Method, Pass};
use super::item::{Commit, Item};
use super::mac::hash_of_hmac;
use super::refusal::Refusal;
use super::use_of_key::{self, Cost, Purpose, Work as _};
use super::{cipher_method, make, names, shaping};
use crate::cryptography::{self, Direction, KeyBasedDerivation, padding};
use crate::key::{AttributeError, KeyDraft, Origin};
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue, CryptographicParameters, Link};
use crate::kmip::enumeration::{
    BlockCipherMode, DerivationMethod, HashingAlgorithm, LinkType, ObjectType, PaddingMethod, SecretDataType,
};
use crate::kmip::payload::{DerivationParameters, DeriveKeyRequest, DeriveKeyResponse, UniqueIdentifier};
use crate::root_key::{DerivingCipher, KeptKey, MadeKey};
use crate::store::{Change, KeyRow, WrappedUnder};

/// How often a derived key is written anew because somebody else changed what it was derived from.
const ATTEMPTS: usize = 8;
/// The most rounds of PBKDF2, over all blocks of the result.
const ROUNDS: usize = 10_000_000;

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: DeriveKeyRequest<'_>,
) -> Result<DeriveKeyResponse, Refusal> {
    let bases = bases(item, &request.unique_identifiers).await?;
    let mut attributes = make::attributes(item, request.template_attribute).await?;
    shaping::fill_in(item, request.object_type, &mut attributes).await?;
    let draft = draft(item, request.object_type, &bases, attributes)?;
    let names = draft.names();
    let _held = names::hold(item, &names).await;
    make::require_free(item, &names).await?;
    shaping::require_allowed(item, draft.object()).await?;

    let method = request.derivation_method;
    item.detail("derivation-method", method.to_string());
    let from: Vec<_> = bases.iter().map(identifier).collect();
    item.detail("derived-from", from.join(", "));
    let made = derive(item, &bases, method, &request.derivation_parameters, &draft).await?;
    keep(item, &from, draft, made).await
}

fn identifier(row: &KeyRow) -> String {
    row.object.id().hyphenated().to_string()
}

/// What is derived from: a key or secret data, and perhaps secret data that is the Derivation Data.
async fn bases(item: &mut Item<'_>, asked: &[UniqueIdentifier<'_>]) -> Result<Vec<KeyRow>, Refusal> {
    if !matches!(asked.len(), 1 | 2) {
        return Err(Refusal::derivation("one object to derive from, or two"));
    }
    let mut bases = Vec::with_capacity(asked.len());
    for asked in asked {
        bases.push(use_of_key::find(item, Some(*asked), Purpose::DERIVE_KEY, Cost::default()).await?);
    }
    match bases.as_slice() {
        [base, data] if base.object.id() == data.object.id() => Err(Refusal::derivation("two objects")),
        [_, data] if data.object.object_type() != ObjectType::SecretData => {
            Err(Refusal::derivation("secret data as the second object"))
        }
        _ => Ok(bases),
    }
}

/// The object as it is to be.
fn draft(
    item: &Item<'_>,
    object_type: ObjectType,
    bases: &[KeyRow],
    mut attributes: Vec<Attribute>,
) -> Result<KeyDraft, Refusal> {
    let has_length =
        |attribute: &Attribute| matches!(attribute.value, AttributeValue::CryptographicLength(_));
    if !attributes.iter().any(has_length) {
        let name = AttributeKind::CryptographicLength.into();
        return Err(make::of_attribute(&AttributeError::Missing { name }));
    }
    attributes.extend(bases.iter().map(|base| {
        Attribute::new(AttributeValue::Link(Link {
            link_type: LinkType::DerivationBaseObjectLink,
            linked_object_identifier: identifier(base),
        }))
    }));
    let (id, adapter, now) = (Uuid::now_v7(), item.caller.adapter.uuid(), item.now());
    let draft = match object_type {
        ObjectType::SymmetricKey => KeyDraft::new(id, adapter, Origin::Created, attributes, now),
        ObjectType::SecretData => {
            let data_type = SecretDataType::Seed;
            KeyDraft::secret_data(id, adapter, data_type, Origin::Created, attributes, now)
        }
        other => return Err(Refusal::object_type(other)),
    };
    draft.map_err(|error| make::of_attribute(&error))
}

async fn derive(
    item: &mut Item<'_>,
    bases: &[KeyRow],
    method: DerivationMethod,
    parameters: &DerivationParameters<'_>,
    draft: &KeyDraft,
) -> Result<(MadeKey, WrappedUnder), Refusal> {
    let base = &bases[0];
    let mut data = LockedBuffer::default();
    for part in &parameters.derivation_data {
        data.extend_from_slice(part);
    }
    if let Some(implied) = bases.get(1) {
        if !parameters.derivation_data.is_empty() {
            return Err(Refusal::derivation("Derivation Data or secret data, not both"));
        }
        allow(item, "Derivation Data that is secret data")?;
        data = use_of_key::open(item, implied).await?;
    }
    let length = draft.object().bytes().unwrap_or_default();
    let derived = if method == DerivationMethod::ENCRYPT {
        let cipher = cipher(item, base, parameters, &mut data).await?;
        if data.len() < length {
            return Err(Refusal::derivation(
                "Derivation Data that is at least as long as the key",
            ));
        }
        if let Some(made) = on_device(item, base, &cipher, &data, draft).await? {
            return Ok(made);
        }
        allow(item, &format!("deriving keys by {}", cipher.name()))?;
        let key = use_of_key::open(item, base).await?;
        encrypted(&cipher, &key, &data, length)?
    } else {
        allow(item, &format!("deriving keys by {method}"))?;
        let key = use_of_key::open(item, base).await?;
        in_server(method, parameters, base, key, data, length).await?
    };
    make::require_room(item).await?;
    let root_key = make::root_key(item).await?;
    let specification = make::specification(draft.object())?;
    let made = item
        .services
        .root_keys
        .for_root(&root_key)
        .map_err(|error| Refusal::not_made(&error))?
        .import(&root_key, specification, derived.as_slice())
        .await
        .map_err(|error| Refusal::not_made(&error))?;
    item.made(&root_key, specification, &made.wrapped);
    let under = WrappedUnder {
        root_key: root_key.id,
        version: root_key.version,
        kek: made.wrapped.clone(),
    };
    item.uses(&root_key, root_key.version, Some(made.wrapped.profile));
    Ok((made, under))
}

/// Whether what the device can't do may be done here.
fn allow(item: &Item<'_>, what: &str) -> Result<(), Refusal> {
    if item.services.limits.cryptography_in_server {
        Ok(())
    } else {
        Err(Refusal::device_lacks(what))
    }
}

/// The cipher of ENCRYPT; the data is padded where the parameters say so.
async fn cipher(
    item: &mut Item<'_>,
    base: &KeyRow,
    parameters: &DerivationParameters<'_>,
    data: &mut LockedBuffer,
) -> Result<Method, Refusal> {
    let cipher = Method::of(
        item,
        Direction::Encrypt,
        &base.object,
        parameters.cryptographic_parameters.as_deref(),
        parameters.initialization_vector,
        None,
    )
    .await?;
    if cipher.has_tag() || cipher.iv_is_random {
        return Err(Refusal::derivation(
            "a mode without a tag, and its Initialization Vector",
        ));
    }
    if cipher.padding != PaddingMethod::None {
        let padding = padding(cipher.padding, data.len(), BLOCK);
        data.extend_from_slice(&padding.map_err(|error| Refusal::of_cryptography(&error))?);
    }
    Ok(cipher)
}

/// Has the device derive the key; nothing where it can't, or where the new key goes under a root key of another device.
async fn on_device(
    item: &mut Item<'_>,
    base: &KeyRow,
    cipher: &Method,
    data: &LockedBuffer,
    draft: &KeyDraft,
) -> Result<Option<(MadeKey, WrappedUnder)>, Refusal> {
    let deriving = match (cipher.mode, <[u8; BLOCK]>::try_from(cipher.iv.as_slice())) {
        (Some(BlockCipherMode::ECB), _) => DerivingCipher::Ecb,
        (Some(BlockCipherMode::CBC), Ok(iv)) => DerivingCipher::Cbc { iv },
        _ => return Ok(None),
    };
    let specification = make::specification(draft.object())?;
    let enough = specification.bytes().next_multiple_of(8);
    if !data.len().is_multiple_of(BLOCK) || data.len() < enough {
        return Ok(None);
    }
    let services = item.services;
    let wrapped = base.wrapped.as_ref().ok_or_else(Refusal::value_not_here)?;
    let base_root = services.root_key_at(wrapped.root_key, wrapped.version).await?;
    make::require_room(item).await?;
    let root_key = make::root_key(item).await?;
    if base_root.backend != root_key.backend {
        return Ok(None);
    }
    let key = KeptKey {
        root_key: &base_root,
        specification: make::specification(&base.object)?,
        wrapped: &wrapped.kek,
    };
    let backend = services.root_keys.for_root(&root_key);
    let made = backend
        .map_err(|error| Refusal::not_used(&error))?
        .derive_by_encryption(&root_key, specification, key, deriving, data.as_slice())
        .await;
    match made {
        Ok(made) => {
            item.made(&root_key, specification, &made.wrapped);
            item.detail("cryptography", "device");
            item.uses(&root_key, root_key.version, Some(made.wrapped.profile));
            let under = WrappedUnder {
                root_key: root_key.id,
                version: root_key.version,
                kek: made.wrapped.clone(),
            };
            Ok(Some((made, under)))
        }
        Err(error) if error.unsupported_what().is_some() => Ok(None),
        Err(error) => Err(Refusal::not_used(&error)),
    }
}

/// The beginning of the cipher text.
fn encrypted(
    cipher: &Method,
    key: &LockedBuffer,
    data: &LockedBuffer,
    length: usize,
) -> Result<LockedBuffer, Refusal> {
    let pass = Pass {
        method: cipher,
        direction: Direction::Encrypt,
        data: data.as_slice(),
    };
    let text = pass.in_server(key);
    let text = text.map_err(|error| Refusal::of_cryptography(&error))?;
    let mut derived = LockedBuffer::with_capacity(length);
    derived.extend_from_slice(&text[..length.min(text.len())]);
    Ok(derived)
}

/// All methods but ENCRYPT.
async fn in_server(
    method: DerivationMethod,
    parameters: &DerivationParameters<'_>,
    base: &KeyRow,
    key: LockedBuffer,
    data: LockedBuffer,
    length: usize,
) -> Result<LockedBuffer, Refusal> {
    let own = cipher_method::parameters(&base.object, parameters.cryptographic_parameters.as_deref());
    let of_key = base.object.algorithm().and_then(hash_of_hmac);
    let hash = of_key.or_else(|| own.and_then(hash_of));
    let needed = || hash.ok_or_else(Refusal::no_hashing_algorithm);
    let vector = parameters.initialization_vector.unwrap_or_default();
    let needs_data = || {
        if data.is_empty() {
            Err(Refusal::derivation("Derivation Data"))
        } else {
            Ok(data.as_slice())
        }
    };
    let derived = match method {
        DerivationMethod::PBKDF2 => {
            let salt = parameters
                .salt
                .ok_or_else(|| Refusal::derivation("a Salt"))?
                .to_vec();
            let hash = hash.unwrap_or(HashingAlgorithm::SHA_1);
            let rounds = rounds(parameters.iteration_count, length)?;
            // It takes its time, in which others are to be served.
            let work = move || cryptography::pbkdf2(hash, &key, &salt, rounds, length);
            let done = tokio::task::spawn_blocking(work).await;
            done.map_err(|_| Refusal::incomplete("a derivation ended before its time"))?
        }
        DerivationMethod::HASH if data.is_empty() => cryptography::derive_by_hash(needed()?, &key, length),
        DerivationMethod::HASH => return Err(Refusal::derivation("an object to derive from alone")),
        DerivationMethod::HMAC => cryptography::derive_by_hmac(needed()?, &key, needs_data()?, length),
        DerivationMethod::NIST800_108_C => {
            let mode = KeyBasedDerivation::Counter;
            cryptography::nist_800_108(mode, needed()?, &key, needs_data()?, length)
        }
        DerivationMethod::NIST800_108_F => {
            let mode = KeyBasedDerivation::Feedback(vector);
            cryptography::nist_800_108(mode, needed()?, &key, needs_data()?, length)
        }
        DerivationMethod::NIST800_108_DPI => {
            let mode = KeyBasedDerivation::DoublePipeline;
            cryptography::nist_800_108(mode, needed()?, &key, needs_data()?, length)
        }
        DerivationMethod::HKDF => {
            let salt = parameters.salt.unwrap_or_default();
            cryptography::hkdf(needed()?, &key, salt, data.as_slice(), length)
        }
        other => return Err(Refusal::derivation_method(other)),
    };
    derived.map_err(|error| Refusal::of_cryptography(&error))
}

fn hash_of(parameters: &CryptographicParameters) -> Option<HashingAlgorithm> {
    let of_algorithm = parameters.cryptographic_algorithm.and_then(hash_of_hmac);
    parameters.hashing_algorithm.or(of_algorithm)
}

/// The rounds of PBKDF2, of which nobody can ask for so many that others wait.
fn rounds(asked: Option<i32>, length: usize) -> Result<usize, Refusal> {
    // SHA-1 has the shortest output of the hashes that are in use.
    let blocks = length.div_ceil(20).max(1);
    asked
        .and_then(|asked| usize::try_from(asked).ok())
        .filter(|asked| (1..=ROUNDS / blocks).contains(asked))
        .ok_or_else(|| {
            Refusal::derivation("an Iteration Count from 1 to ten million, over all blocks of the key")
        })
}

/// Writes the derived object, and the links to it from what it was derived from, in one commit.
async fn keep(
    item: &mut Item<'_>,
    from: &[String],
    draft: KeyDraft,
    (made, under): (MadeKey, WrappedUnder),
) -> Result<DeriveKeyResponse, Refusal> {
    let mut derived = draft.finish(made.sha256);
    derived.give_to(item.user);
    let id = derived.id();
    for _ in 0..ATTEMPTS {
        let mut changes = vec![Change::UseRootKey(under.root_key)];
        for from in from {
            let asked = Some(UniqueIdentifier::Text(from));
            let mut base = use_of_key::find(item, asked, Purpose::DERIVE_KEY, Cost::default()).await?;
            base.object
                .link_derived(&derived, item.now())
                .map_err(|error| make::of_attribute(&error))?;
            changes.push(Change::update_key(base));
        }
        changes.push(Change::create_key(KeyRow::new(
            derived.clone(),
            Some(under.clone()),
        )));
        item.event.object = None;
        item.becomes(&derived);
        if item.commit(changes).await? == Commit::Done {
            item.placeholder.fill(id);
            return Ok(DeriveKeyResponse {
                unique_identifier: id.hyphenated().to_string(),
                template_attribute: None,
            });
        }
    }
    Err(Refusal::busy())
}
