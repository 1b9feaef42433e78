//! The instances of Key Protect and of Hyper Protect Crypto Services: the way there, IAM and the roles of the service ID, and
//! each root key that the database has there.

use time::Duration;

use super::findings::{About, Findings};
use crate::adapter::{RootKey, RootKeyState};
use crate::cli::key_protect::key_protect_backend;
use crate::config::{Config, KeyProtect};
use crate::root_key::RootKeyBackend;
use crate::root_key::key_protect::{Error, Facts, KeyProtectBackend, KeyState, Reached, Step, Trial};

/// Tokens are good for an hour. A clock that is off by less disturbs nothing, and is wrong all the same in each record.
const CLOCK: Duration = Duration::seconds(30);

/// Examines each instance. With `makes_key` each makes a key that is deleted at once, so that every role is tried.
pub(super) async fn check(config: &Config, recorded: &[RootKey], makes_key: bool, findings: &mut Findings) {
    for instance in &config.key_protect {
        let subject = format!("key manager {}", instance.name);
        let here = recorded
            .iter()
            .filter(|root_key| root_key.backend == instance.name);
        let here: Vec<_> = here.collect();
        match key_protect_backend(instance) {
            Ok(backend) => examine(&backend, instance, &here, makes_key, &subject, findings).await,
            Err(error) => failed(
                &mut findings.about(&subject, "configuration"),
                "settings",
                &error,
                instance,
            ),
        }
    }
}

async fn examine(
    backend: &KeyProtectBackend,
    instance: &KeyProtect,
    root_keys: &[&RootKey],
    makes_key: bool,
    subject: &str,
    findings: &mut Findings,
) {
    let mut about = findings.about(subject, "address");
    match backend.reach().await {
        Err(error) => {
            failed(&mut about, "service", &error, instance);
            return;
        }
        Ok(reached) => tell_of_way(&mut about, instance, reached),
    }
    let trial = if makes_key { Trial::ThrownAway } else { Trial::None };
    let steps = backend.examine(trial).await;
    let serves = steps.iter().take(2).all(|step| step.outcome.is_ok());
    let mut about = findings.about(subject, "IAM and instance");
    for step in &steps {
        tell_of_step(&mut about, step, instance);
    }
    if !makes_key && serves {
        about.ok(
            "making and deleting keys",
            "not tried; `claviger doctor --new-key` tries it, and leaves a deleted key in the list",
        );
    }
    if !serves {
        return;
    }
    for root_key in root_keys {
        let group = format!("root key {}", root_key.name);
        let mut about = findings.about(subject, &group);
        let facts = match backend.facts(root_key).await {
            Ok(facts) => facts,
            Err(error) => {
                failed(&mut about, "state", &error, instance);
                continue;
            }
        };
        tell_of_root_key(&mut about, root_key, &facts, instance);
        if is_disabled_on_purpose(root_key) {
            continue;
        }
        if let Err(crate::root_key::Error::KeyProtect { source, .. }) = backend.verify(root_key).await {
            failed(&mut about, "the recorded version", &source, instance);
        } else {
            about.ok("the recorded version", "it is there");
        }
        // The first steps are those of the instance, told above.
        for step in backend
            .examine(Trial::On(&facts.key.id.to_string()))
            .await
            .iter()
            .skip(2)
        {
            tell_of_step(&mut about, step, instance);
        }
    }
}

fn is_disabled_on_purpose(root_key: &RootKey) -> bool {
    root_key.state == RootKeyState::Disabled
}

fn tell_of_way(about: &mut About<'_>, instance: &KeyProtect, reached: Reached) {
    about.ok(
        "service",
        format!("{} answers at {}", reached.product, instance.url),
    );
    match reached.clock_ahead {
        None => about.ok("clock", "not compared: the service does not say its time"),
        Some(ahead) if ahead.abs() <= CLOCK => {
            about.ok(
                "clock",
                format!("within {} s of the service's", CLOCK.whole_seconds()),
            );
        }
        Some(ahead) => about.warning(
            "clock",
            format!(
                "this machine's is {} s {} the service's",
                ahead.whole_seconds().abs(),
                if ahead.is_positive() { "ahead of" } else { "behind" }
            ),
            "have the machine keep its time by NTP: the custody log has the machine's time",
        ),
    }
}

fn tell_of_root_key(about: &mut About<'_>, root_key: &RootKey, facts: &Facts, instance: &KeyProtect) {
    let key = &facts.key;
    let name = &root_key.name;
    match (key.is_deleted(), key.state) {
        (true, _) => about.failure(
            "state",
            "deleted in the key manager: no key under it can be read",
            format!("restore it within 30 days: claviger root-key restore {name}"),
        ),
        (_, KeyState::Active) => about.ok("state", format!("active: {} ({})", key.name, key.id)),
        (_, KeyState::Suspended) if is_disabled_on_purpose(root_key) => {
            about.ok("state", "disabled, here and in the key manager");
        }
        (_, KeyState::Suspended) => about.failure(
            "state",
            "disabled in the key manager: no key under it can be read",
            format!("enable it: claviger root-key enable {name}"),
        ),
        (_, KeyState::Deactivated) => about.warning(
            "state",
            "its expiration date is over: its keys can be read, and none can be made under it",
            "make another root key, and move the adapters there: claviger adapter move",
        ),
        (_, state) => about.failure(
            "state",
            format!("{state:?}: it can't be used"),
            "see the key in IBM's console",
        ),
    }
    if let Some(ring) = instance.key_ring.as_ref().filter(|ring| **ring != key.key_ring) {
        about.warning(
            "key ring",
            format!("it is in {:?}, and `key_ring` is {ring:?}", key.key_ring),
            "write the key ring that has it, or leave `key_ring` out",
        );
    }
    match facts.rotated_every {
        Some(months) => about.ok(
            "rotation policy",
            format!("the key manager rotates it every {months} months; that is noticed here"),
        ),
        None => about.ok("rotation policy", "none; `claviger root-key rotate` rotates it"),
    }
    if key
        .dual_auth_delete
        .as_ref()
        .is_some_and(|dual| dual.key_set_for_deletion)
    {
        about.warning(
            "deletion",
            "it is set for deletion: a second identity can delete it",
            "where nobody here wants that, take it back in IBM's console",
        );
    }
    for registration in facts
        .registrations
        .iter()
        .filter(|found| found.prevent_key_deletion)
    {
        about.warning(
            "registrations",
            format!("{} keeps it from being deleted", registration.resource_crn),
            "use a root key of its own for each purpose",
        );
    }
}

fn tell_of_step(about: &mut About<'_>, step: &Step, instance: &KeyProtect) {
    match (&step.outcome, step.lacking_role()) {
        (Ok(told), _) if told.is_empty() => about.ok(step.what, "it works"),
        (Ok(told), _) => about.ok(step.what, told),
        (Err(error), Some(role)) => about.failure(
            step.what,
            error.to_string(),
            format!(
                "give the service ID the {role} on the instance {} (in IBM Cloud: Manage, Access (IAM), Service IDs)",
                instance.instance_id
            ),
        ),
        (Err(error), None) => failed(about, step.what, error, instance),
    }
}

fn failed(about: &mut About<'_>, what: &str, error: &Error, instance: &KeyProtect) {
    about.failure(what, error.to_string(), remedy(error, instance));
}

fn remedy(error: &Error, instance: &KeyProtect) -> String {
    match error {
        Error::Configuration { .. } => "correct it: `claviger config check` has the line".to_owned(),
        Error::ApiKeyFile { path, .. } => {
            format!("write the API key of the service ID into {path}, nothing else, mode 0400")
        }
        Error::ApiKeyRefused { .. } => format!(
            "make an API key for the service ID (ibmcloud iam service-api-key-create), and write it into {}",
            instance.api_key_file.display()
        ),
        Error::Unavailable { reason, .. } if reason.to_lowercase().contains("certificate") => {
            "where a proxy or an own authority is on the way, name its certificate as `ca_file`".to_owned()
        }
        Error::Unavailable { .. } | Error::Deadline { .. } | Error::Unreadable { .. } => format!(
            "see that this machine reaches {} and {}, through `proxy` where there is one",
            instance.url, instance.iam_url
        ),
        Error::OtherInstance { .. } => {
            "write the GUID of the root key's instance as `instance_id`".to_owned()
        }
        _ => error
            .kind()
            .map_or(
                "see docs/key-protect.md, and the record in IBM's activity log",
                |kind| kind.remedy(),
            )
            .to_owned(),
    }
}
