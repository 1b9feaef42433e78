//! Policies of a key and of the instance.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::calls::actions::{must_be_root, not_in};
use crate::calls::body::{Collection, NewDualAuth, NewRotation};
use crate::calls::request::Request;
use crate::calls::{Reply, end, form};
use crate::model::{InstancePolicy, Key, Policy, State, Touched};
use crate::refusal::Refusal;
use crate::service::Service;

const KIND: &str = "application/vnd.ibm.kms.policy+json";
/// The policies that an instance can have.
const OF_THE_INSTANCE: [&str; 6] = [
    "allowedIP",
    "allowedNetwork",
    "dualAuthDelete",
    "keyCreateImportAccess",
    "metrics",
    "rotation",
];

/// One policy of a key, as a client sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewPolicy {
    #[serde(rename = "type")]
    _type: Option<String>,
    rotation: Option<NewRotation>,
    dual_auth_delete: Option<NewDualAuth>,
}

pub(super) async fn put(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let body: Collection<NewPolicy> = request.body()?;
    let policies = body.into_resources()?;
    let wanted = request.parameter("policy");
    for policy in &policies {
        check(policy, wanted)?;
    }
    let by = Touched {
        at: request.now,
        by: request.identity.id.clone(),
    };
    let key = end::change(service, request, |key| {
        must_be_root(key)?;
        if key.state == State::Destroyed {
            return Err(not_in(key.state));
        }
        if key.imported && policies.iter().any(|policy| policy.rotation.is_some()) {
            let expected = "the service rotates no key whose material it did not make";
            return Err(Refusal::invalid_field("rotation", expected));
        }
        for policy in &policies {
            if let Some(rotation) = &policy.rotation {
                let enabled = rotation.enabled.unwrap_or(true);
                let interval = rotation.interval_month;
                key.rotation = Some(replaced(key.rotation.take(), enabled, interval, &by));
            }
            if let Some(dual) = &policy.dual_auth_delete {
                let before = key.dual_auth_delete.take();
                key.dual_auth_delete = Some(replaced(before, dual.enabled, None, &by));
                key.set_for_deletion = None;
            }
        }
        key.updated = request.now;
        Ok(())
    });
    let key = key.await?;
    Ok(Reply::ok(form::collection(KIND, of_key(service, &key, wanted))))
}

fn check(policy: &NewPolicy, wanted: Option<&str>) -> Result<(), Refusal> {
    let has = |kind: &str| match kind {
        "rotation" => policy.rotation.is_some(),
        "dualAuthDelete" => policy.dual_auth_delete.is_some(),
        _ => false,
    };
    if wanted.is_some_and(|wanted| !has(wanted)) {
        return Err(Refusal::body_query_mismatch());
    }
    if let Some(rotation) = &policy.rotation {
        let possible = rotation
            .interval_month
            .is_some_and(|months| (1..=12).contains(&months));
        if !possible && rotation.enabled != Some(false) {
            return Err(Refusal::invalid_field(
                "interval_month",
                "a number from 1 to 12 is expected",
            ));
        }
    }
    Ok(())
}

fn replaced(before: Option<Policy>, enabled: bool, interval_month: Option<u64>, by: &Touched) -> Policy {
    let (id, created) = match before {
        Some(before) => (before.id, before.created),
        None => (Uuid::new_v4(), by.clone()),
    };
    Policy {
        id,
        created,
        updated: by.clone(),
        enabled,
        interval_month,
    }
}

pub(super) fn get(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let key = service.store.read(|state| request.key(state))?;
    let policies = of_key(service, &key, request.parameter("policy"));
    Ok(Reply::ok(form::collection(KIND, policies)))
}

fn of_key(service: &Service, key: &Key, wanted: Option<&str>) -> Vec<Value> {
    let policy = |kind: &str, policy: &Option<Policy>| {
        let policy = policy
            .as_ref()
            .filter(|_| wanted.is_none_or(|wanted| wanted == kind))?;
        let mut form = json!({
            "id": policy.id,
            "crn": service.crn("policy", policy.id),
            "type": KIND,
            "creationDate": form::date(policy.created.at),
            "createdBy": policy.created.by,
            "lastUpdateDate": form::date(policy.updated.at),
            "updatedBy": policy.updated.by,
        });
        form[kind] = form::rotation_of(policy);
        Some(form)
    };
    let policies = [
        policy("rotation", &key.rotation),
        policy("dualAuthDelete", &key.dual_auth_delete),
    ];
    policies.into_iter().flatten().collect()
}

/// One policy of the instance, as a client sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewInstancePolicy {
    policy_type: String,
    policy_data: NewPolicyData,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPolicyData {
    enabled: bool,
    #[serde(default)]
    attributes: Map<String, Value>,
}

pub(super) async fn put_for_instance(service: &Service, request: &Request) -> Result<Reply, Refusal> {
    let body: Collection<NewInstancePolicy> = request.body()?;
    let policies = body.into_resources()?;
    let wanted = request.parameter("policy");
    for policy in &policies {
        if !OF_THE_INSTANCE.contains(&policy.policy_type.as_str())
            || wanted.is_some_and(|wanted| wanted != policy.policy_type)
        {
            return Err(Refusal::body_query_mismatch());
        }
    }
    let by = Touched {
        at: request.now,
        by: request.identity.id.clone(),
    };
    let put = service.store.change(|state| {
        for policy in policies {
            let before = state.policy(&policy.policy_type);
            let created = before.map_or_else(|| by.clone(), |before| before.created.clone());
            state.put_policy(InstancePolicy {
                kind: policy.policy_type,
                created,
                updated: by.clone(),
                enabled: policy.policy_data.enabled,
                attributes: policy.policy_data.attributes,
            });
        }
        Ok(())
    });
    put.await?;
    Ok(Reply::no_content())
}

pub(super) fn get_for_instance(service: &Service, request: &Request) -> Reply {
    let wanted = request.parameter("policy");
    let form = |policy: &InstancePolicy| {
        let mut form = json!({
            "creationDate": form::date(policy.created.at),
            "createdBy": policy.created.by,
            "lastUpdated": form::date(policy.updated.at),
            "updatedBy": policy.updated.by,
            "policy_type": policy.kind,
            "policy_data": {"enabled": policy.enabled},
        });
        if !policy.attributes.is_empty() {
            form["policy_data"]["attributes"] = policy.attributes.clone().into();
        }
        form
    };
    let policies = service.store.read(|state| {
        let policies = state.policies();
        policies
            .filter(|policy| wanted.is_none_or(|wanted| wanted == policy.kind))
            .map(form)
            .collect()
    });
    Reply::ok(form::collection(
        "application/vnd.ibm.kms.instance_policy+json",
        policies,
    ))
}

/// The port that a private network would use where the policy `allowedIP` is on; the stand-in has no such network.
pub(super) fn allowed_ip_port(service: &Service) -> Reply {
    let enabled = service
        .store
        .read(|state| state.policy("allowedIP").is_some_and(|policy| policy.enabled));
    let port = enabled.then(|| json!({"private_endpoint_port": 8888}));
    let kind = "application/vnd.ibm.kms.allowed_ip_metadata+json";
    Reply::ok(form::collection(kind, port.into_iter().collect()))
}
