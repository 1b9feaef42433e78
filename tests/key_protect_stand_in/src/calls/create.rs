//! Keys that are made or taken in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use crate::calls::body::{Collection, Material, NewKey};
use crate::calls::request::Request;
use crate::calls::{Reply, aliases, form, material};
use crate::model::{Alias, Key, Policy, State, Touched, Version};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::store::State as Everything;
use crate::{DEFAULT_KEY_RING, random};

/// Lengths in characters.
const LONGEST_NAME: usize = 90;
const LONGEST_DESCRIPTION: usize = 240;
const MOST_TAGS: usize = 30;
const LONGEST_TAG: usize = 30;

pub(super) async fn create(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let body: Collection<NewKey> = request.body()?;
    let mut resources = body.into_resources()?;
    let (Some(new), None) = (resources.pop(), resources.pop()) else {
        return Err(Refusal::bad_body(
            "Only creation of one key per request is supported",
        ));
    };
    check(&new, request)?;
    let brought = Material {
        payload: new.payload.clone(),
        encrypted_nonce: new.encrypted_nonce.clone(),
        iv: new.iv.clone(),
        encryption_algorithm: new.encryption_algorithm.clone(),
    };
    let payload = material::of(service, request, &brought)?;
    let may = |state: &Everything| {
        must_be_allowed(state, &new, payload.is_some())?;
        aliases::must_be_free(state, &new.aliases)?;
        request
            .key_ring(state)
            .map(|ring| ring.unwrap_or(DEFAULT_KEY_RING).to_owned())
    };
    service.store.read(may)?;
    let (version, standard) = make(service, request, &new, payload.as_deref()).await?;
    let id = version.id;
    let made = service.store.change(|state| {
        let key_ring = may(state)?;
        let key = key(
            state,
            request,
            &new,
            key_ring,
            version,
            standard
                .as_deref()
                .map(|material| service.vault.seal().seal(b"standard key", material)),
            payload.is_some(),
        );
        state.put_key(key.clone());
        Ok(key)
    });
    let made = made.await;
    if made.is_err() && !new.extractable {
        service.vault.destroy(id).await?;
    }
    let key = made?;
    if request.prefers_minimal() {
        return Ok(Reply::new(StatusCode::CREATED, form::identifier(&key)));
    }
    let mut form = form::key(service, &key, request.now);
    if let Some(material) = standard {
        form["payload"] = STANDARD.encode(material).into();
    }
    Ok(Reply::new(StatusCode::CREATED, form::keys(vec![form])))
}

fn check(new: &NewKey, request: &Request) -> Result<(), Refusal> {
    let longer = |text: &str, most: usize| text.chars().count() > most;
    let invalid = |field, what: &str| Err(Refusal::invalid_field(field, what));
    if new.name.chars().count() < 2 || longer(&new.name, LONGEST_NAME) {
        return invalid("name", "2 to 90 characters are expected");
    }
    if new
        .description
        .as_ref()
        .is_some_and(|text| longer(text, LONGEST_DESCRIPTION))
    {
        return invalid("description", "at most 240 characters are expected");
    }
    if new.tags.len() > MOST_TAGS || new.tags.iter().any(|tag| longer(tag, LONGEST_TAG)) {
        return invalid("tags", "at most 30 tags of at most 30 characters are expected");
    }
    if new.expiration_date.is_some_and(|at| at <= request.now) {
        return invalid("expirationDate", "a time in the future is expected");
    }
    if new.extractable
        && (new.rotation.is_some() || new.dual_auth_delete.as_ref().is_some_and(|dual| dual.enabled))
    {
        return Err(Refusal::root_key_required());
    }
    Ok(())
}

/// Asks the policy of the instance that says who may make what.
fn must_be_allowed(state: &Everything, new: &NewKey, imported: bool) -> Result<(), Refusal> {
    let Some(policy) = state
        .policy("keyCreateImportAccess")
        .filter(|policy| policy.enabled)
    else {
        return Ok(());
    };
    let allowed = |attribute: &str, default: bool| {
        policy
            .attributes
            .get(attribute)
            .and_then(Value::as_bool)
            .unwrap_or(default)
    };
    let attribute = match (imported, new.extractable) {
        (false, false) => "create_root_key",
        (false, true) => "create_standard_key",
        (true, false) => "import_root_key",
        (true, true) => "import_standard_key",
    };
    let without_token = imported && new.encrypted_nonce.is_none();
    if !allowed(attribute, true) || (without_token && allowed("enforce_token", false)) {
        return Err(Refusal::create_import_access());
    }
    Ok(())
}

/// The first version; of a standard key, also its material.
async fn make(
    service: &Service,
    request: &Request,
    new: &NewKey,
    payload: Option<&[u8]>,
) -> Result<(Version, Option<Vec<u8>>), Refusal> {
    if !new.extractable {
        if let Some(payload) = payload {
            material::must_fit_a_root_key(payload)?;
        }
        return Ok((material::new_version(service, payload, request.now).await?, None));
    }
    let material = match payload {
        Some(payload) if payload.is_empty() || payload.len() > material::LONGEST => {
            let expected = format!("1 to {} bytes are expected", material::LONGEST);
            return Err(Refusal::invalid_field("payload", expected));
        }
        Some(payload) => payload.to_vec(),
        None => random::<32>().to_vec(),
    };
    let version = Version {
        id: Uuid::new_v4(),
        created: request.now,
        material_tag: None,
    };
    Ok((version, Some(material)))
}

fn key(
    state: &Everything,
    request: &Request,
    new: &NewKey,
    key_ring: String,
    version: Version,
    material: Option<Vec<u8>>,
    imported: bool,
) -> Key {
    let created = Touched {
        at: request.now,
        by: request.identity.id.clone(),
    };
    let alias = |alias: &String| Alias {
        alias: alias.clone(),
        created: created.clone(),
    };
    let policy = |enabled, interval_month| Policy {
        id: Uuid::new_v4(),
        created: created.clone(),
        updated: created.clone(),
        enabled,
        interval_month,
    };
    // A policy of the instance holds where the request says nothing.
    let of_the_instance = |kind: &str| {
        let root = material.is_none();
        state.policy(kind).filter(|policy| root && policy.enabled)
    };
    let dual_auth_delete = match &new.dual_auth_delete {
        Some(dual) => Some(policy(dual.enabled, None)),
        None => of_the_instance("dualAuthDelete").map(|_| policy(true, None)),
    };
    let rotation = match &new.rotation {
        Some(rotation) => Some(policy(rotation.enabled.unwrap_or(true), rotation.interval_month)),
        None => of_the_instance("rotation").map(|rotation| {
            let interval = rotation.attributes.get("interval_month");
            policy(true, interval.and_then(Value::as_u64))
        }),
    };
    Key {
        id: Uuid::new_v4(),
        name: new.name.clone(),
        description: new.description.clone(),
        tags: new.tags.clone(),
        aliases: new.aliases.iter().map(alias).collect(),
        key_ring,
        state: State::Active,
        imported,
        dual_auth_delete,
        rotation,
        material,
        versions: vec![version],
        updated: created.at,
        state_changed: None,
        created,
        rotated: None,
        expires: new.expiration_date,
        deletion: None,
        set_for_deletion: None,
        registrations: Vec::new(),
    }
}
