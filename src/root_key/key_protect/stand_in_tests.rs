//! The backend before the stand-in: what others do to its root keys, and what the key manager does wrong.

use claviger_hsm::testkit::worker_in_this_test_program;
use claviger_key_protect_stand_in::{
    Call, Control, Fault, FaultKind, KeyEvent, NewRegistration, Options, StandIn, When,
};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use time::OffsetDateTime;
use uuid::Uuid;

use super::client::Request;
use super::identity::Identity;
use super::{
    ApiKeySource, Error as KeyProtectError, KeptIn, KeyProtectBackend, KeyProtectConfig, Kind, Trial,
};
use crate::adapter::{RootKey, RootKeyId, RootKeyOrigin, RootKeyState, WrappedBytes};
use crate::key::{WrapProfile, WrappedKek};
use crate::root_key::suite::softhsm::WORKER;
use crate::root_key::{Binding, Error, KeyKind, KeySpecification, Rewrapped, RootKeyBackend};

const AES_256: KeySpecification = KeySpecification {
    kind: KeyKind::Aes { bytes: 32 },
    binding: Binding {
        adapter: Uuid::from_u128(1),
        object: Uuid::from_u128(2),
        part: 0,
    },
};

struct Fixture {
    backend: KeyProtectBackend,
    root: RootKey,
    stand_in: StandIn,
    // Behind what lies in it: fields are dropped in their order.
    directory: TempDir,
}

impl Fixture {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            workers: 1,
            ..Options::new(directory.path(), worker_in_this_test_program(WORKER))
        };
        let stand_in = StandIn::start(options).unwrap();
        let backend = KeyProtectBackend::new(config(&stand_in)).unwrap();
        let facts = root_key("vcenter");
        let created = backend.create(&facts).await.unwrap();
        let root = RootKey {
            token_serial: created.token_serial,
            token_label: created.token_label,
            check_value: created.check_value,
            ..facts
        };
        Self {
            backend,
            root,
            stand_in,
            directory,
        }
    }

    /// The backend with another identity's API key.
    fn as_another(&self) -> KeyProtectBackend {
        self.with(|config, stand_in| {
            let path = stand_in.facts().second_api_key_file.clone();
            config.api_key = ApiKeySource::File(path);
        })
    }

    fn with(&self, change: impl FnOnce(&mut KeyProtectConfig, &StandIn)) -> KeyProtectBackend {
        let mut config = config(&self.stand_in);
        change(&mut config, &self.stand_in);
        KeyProtectBackend::new(config).unwrap()
    }

    fn control(&self) -> &Control {
        self.stand_in.control()
    }

    fn id(&self) -> String {
        let identity = Identity::of(&self.root, &self.root.token_serial).unwrap();
        identity.key.to_string()
    }

    fn happens(&self, event: KeyEvent) {
        self.control().key_event(&self.id(), event).unwrap();
    }

    fn fails(&self, call: Call, kind: FaultKind, when: When) {
        self.control().fail(Fault {
            calls: vec![call],
            kind,
            when,
        });
    }

    async fn make(&self) -> Result<WrappedKek, Error> {
        let made = self.backend.generate(&self.root, AES_256).await?;
        Ok(made.wrapped)
    }

    async fn value(&self, wrapped: &WrappedKek) -> Result<Vec<u8>, Error> {
        let material = self.backend.release(&self.root, AES_256, wrapped).await?;
        let mut value = vec![0; material.len()];
        material.open_into(&mut value)?;
        Ok(value)
    }

    async fn needs_two(&self) {
        let body = json!({
            "metadata": {"collectionType": "application/vnd.ibm.kms.policy+json", "collectionTotal": 1},
            "resources": [{"type": "application/vnd.ibm.kms.policy+json", "dualAuthDelete": {"enabled": true}}],
        });
        let id = self.id();
        let path = ["keys", id.as_str(), "policies"];
        let request = Request {
            method: Method::PUT,
            query: vec![("policy", "dualAuthDelete".to_owned())],
            body: Some(("application/json", body.to_string().into())),
            ..Request::get("a policy", &path)
        };
        let service = self.backend.begin().await.unwrap();
        service.call(request, |_| Some(())).await.unwrap();
    }
}

fn config(stand_in: &StandIn) -> KeyProtectConfig {
    let facts = stand_in.facts();
    let api_key = ApiKeySource::File(facts.api_key_file.clone());
    KeyProtectConfig {
        iam_url: facts.iam_url.clone(),
        ca_file: Some(facts.ca_file.clone()),
        ..KeyProtectConfig::new("ibm", &facts.url, facts.instance_id.to_string(), api_key)
    }
}

fn root_key(name: &str) -> RootKey {
    RootKey {
        id: RootKeyId::from(Uuid::new_v4()),
        name: name.to_owned(),
        backend: "ibm".to_owned(),
        token_label: String::new(),
        token_serial: String::new(),
        label: RootKey::label_of(name, 1),
        version: 1,
        check_value: Vec::new(),
        seal_key: WrappedBytes {
            profile: String::new(),
            bytes: Vec::new(),
        },
        created_at: OffsetDateTime::UNIX_EPOCH,
        state: RootKeyState::Enabled,
        origin: RootKeyOrigin::Generated,
    }
}

fn kind(error: &Error) -> Option<Kind> {
    match error {
        Error::KeyProtect { source, .. } => source.kind(),
        _ => None,
    }
}

#[tokio::test]
async fn what_somebody_does_to_a_root_key_in_the_key_manager_is_said_and_heals_when_it_is_undone() {
    let it = Fixture::new().await;
    let wrapped = it.make().await.unwrap();
    let value = it.value(&wrapped).await.unwrap();
    for (done, undone, expected) in [
        (KeyEvent::Disable, KeyEvent::Enable, Kind::KeyDisabled),
        (KeyEvent::Delete, KeyEvent::Restore, Kind::KeyDeleted),
    ] {
        it.happens(done);
        for error in [
            it.make().await.unwrap_err(),
            it.value(&wrapped).await.unwrap_err(),
            it.backend.check(&it.root).await.unwrap_err(),
            it.backend.verify(&it.root).await.unwrap_err(),
        ] {
            assert_eq!(kind(&error), Some(expected), "{error}");
            assert!(error.is_retryable() && error.root_key_trouble().is_some());
        }
        assert_eq!(it.backend.last_worked(&it.root), None);
        assert!(it.backend.rest_between_checks(true) < std::time::Duration::from_secs(1));
        it.happens(undone);
        it.backend.verify(&it.root).await.unwrap();
        it.backend.check(&it.root).await.unwrap();
        assert!(it.backend.last_worked(&it.root).is_some());
        assert_eq!(it.value(&wrapped).await.unwrap(), value);
    }
    it.happens(KeyEvent::Purge);
    let error = it.value(&wrapped).await.unwrap_err();
    assert_eq!(kind(&error), Some(Kind::KeyNotFound), "{error}");
}

#[tokio::test]
async fn a_root_key_that_was_rotated_elsewhere_opens_its_keys_and_wraps_them_anew() {
    let it = Fixture::new().await;
    let wrapped = it.make().await.unwrap();
    let value = it.value(&wrapped).await.unwrap();
    it.happens(KeyEvent::Rotate);
    it.backend.verify(&it.root).await.unwrap();
    let present = it.backend.present_version(&it.root).await.unwrap().unwrap();
    assert_ne!(present, it.root.check_value);
    let material = it.backend.release(&it.root, AES_256, &wrapped).await.unwrap();
    let Some(Rewrapped { wrapped, check_value }) = material.rewrapped() else {
        panic!("it was not wrapped anew");
    };
    assert_eq!(*check_value, present);
    assert_eq!(it.value(wrapped).await.unwrap(), value);
    // A rotation that is asked for finds that one.
    let rotated = it.backend.rotate(&it.root, &it.root).await.unwrap();
    assert_eq!(rotated.check_value, present);
}

#[tokio::test]
async fn a_rotation_and_a_creation_whose_answer_is_lost_are_found_again() {
    let it = Fixture::new().await;
    it.fails(Call::Rotate, FaultKind::CutAfter, When::Always);
    it.fails(Call::CreateKey, FaultKind::CutAfter, When::Always);
    let rotated = it.backend.rotate(&it.root, &it.root).await.unwrap();
    assert_ne!(rotated.check_value, it.root.check_value);
    let created = it.backend.create(&root_key("second")).await.unwrap();
    assert_eq!(created.check_value.len(), 32);
    assert_eq!(it.control().counters().of(Call::Rotate), 1);
    assert_eq!(it.control().counters().of(Call::CreateKey), 2);
    // Another root key of that name is another root key.
    let error = it.backend.create(&root_key("second")).await.unwrap_err();
    assert!(matches!(error, Error::KeyProtect { .. }), "{error}");
}

#[tokio::test]
async fn a_root_key_that_two_must_agree_to_delete_is_deleted_by_the_second() {
    let it = Fixture::new().await;
    it.needs_two().await;
    for _ in 0..2 {
        let error = it.backend.destroy(&it.root).await.unwrap_err();
        assert_eq!(kind(&error), Some(Kind::AuthorizationsNotMet), "{error}");
    }
    it.make().await.unwrap();
    it.as_another().destroy(&it.root).await.unwrap();
    assert_eq!(kind(&it.make().await.unwrap_err()), Some(Kind::KeyDeleted));
    // That it is gone is success for whoever asks.
    it.backend.destroy(&it.root).await.unwrap();
    it.backend.restore(&it.root).await.unwrap();
    it.make().await.unwrap();
}

#[tokio::test]
async fn a_root_key_that_others_need_is_not_destroyed() {
    let it = Fixture::new().await;
    let registration = NewRegistration {
        resource_crn: "crn:v1:bluemix:public:cloud-object-storage:global:a/1:2:bucket:3".into(),
        prevent_key_deletion: false,
        description: String::new(),
    };
    it.control().register(&it.id(), registration).unwrap();
    let error = it.backend.destroy(&it.root).await.unwrap_err();
    assert_eq!(kind(&error), Some(Kind::Protected), "{error}");
    it.make().await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_not_the_recorded_one_is_never_destroyed() {
    let it = Fixture::new().await;
    let mut identity = Identity::of(&it.root, &it.root.token_serial).unwrap();
    identity.version = Uuid::new_v4();
    let other_version = RootKey {
        check_value: identity.check_value(),
        ..it.root.clone()
    };
    let of_nobody = RootKey {
        id: RootKeyId::from(Uuid::new_v4()),
        check_value: Vec::new(),
        ..it.root.clone()
    };
    let other_instance = RootKey {
        token_serial: Uuid::new_v4().to_string(),
        ..it.root.clone()
    };
    for root in [other_version, of_nobody, other_instance] {
        let error = it.backend.destroy(&root).await.unwrap_err();
        assert!(!error.is_retryable(), "{error}");
    }
    it.make().await.unwrap();
    // One that a creation left is.
    let left = RootKey {
        check_value: Vec::new(),
        ..it.root.clone()
    };
    it.backend.destroy(&left).await.unwrap();
    assert_eq!(kind(&it.make().await.unwrap_err()), Some(Kind::KeyDeleted));
}

#[tokio::test]
async fn only_a_root_key_that_can_be_used_is_taken_up() {
    let it = Fixture::new().await;
    let alias = it.root.label.replace('.', "-");
    for existing in [it.id(), alias] {
        let adopted = it.backend.adopt(&root_key("mine"), &existing).await.unwrap();
        assert_eq!(adopted.origin, RootKeyOrigin::Adopted);
        assert_eq!(adopted.label, it.root.label);
        assert_eq!(adopted.check_value, it.root.check_value);
    }
    let service = it.backend.begin().await.unwrap();
    let standard = service
        .create_standard_key("a standard key", None, "", b"12345678")
        .await
        .unwrap();
    drop(service);
    let existing = standard.id.to_string();
    let error = it.backend.adopt(&root_key("mine"), &existing).await.unwrap_err();
    assert!(error.to_string().contains("is a standard key"), "{error}");
    it.happens(KeyEvent::Disable);
    let error = it.backend.adopt(&root_key("mine"), &it.id()).await.unwrap_err();
    assert_eq!(kind(&error), Some(Kind::KeyDisabled));
    let error = it.backend.adopt(&root_key("mine"), "nobody").await.unwrap_err();
    assert_eq!(kind(&error), Some(Kind::KeyNotFound));
}

#[tokio::test]
async fn no_key_is_lost_and_none_is_wrong_while_everything_goes_wrong_now_and_then() {
    let mut it = Fixture::new().await;
    it.backend = it.with(|config, _| config.deadline = std::time::Duration::from_mins(2));
    let status = |status| FaultKind::Status {
        status,
        retry_after: None,
    };
    for (call, fault, every) in [
        (Call::Wrap, status(503), 3),
        (Call::Wrap, FaultKind::CutAfter, 7),
        (Call::Unwrap, FaultKind::CutBefore, 4),
        (Call::Unwrap, FaultKind::Garbage, 5),
        (Call::Unwrap, status(429), 9),
        (Call::Wrap, FaultKind::ExpireTokens, 23),
        (Call::Token, status(500), 2),
    ] {
        it.fails(call, fault, When::Every(every));
    }
    let tries = (0..40).map(|_| async {
        let made = it.backend.generate(&it.root, AES_256).await.unwrap();
        let value = it.value(&made.wrapped).await.unwrap();
        let digest = openssl::sha::sha256(&value);
        (made.sha256 == digest, value)
    });
    let mut values = futures_util::future::join_all(tries).await;
    assert!(values.iter().all(|(is_right, _)| *is_right));
    values.sort();
    values.dedup();
    assert_eq!(values.len(), 40);
    assert!(it.control().faults().iter().all(|fault| fault.came > 0));
}

#[tokio::test]
async fn no_request_waits_for_another_and_their_connections_and_token_are_used_again() {
    const AT_ONE_TIME: usize = 16;
    let it = Fixture::new().await;
    it.make().await.unwrap();
    it.control().reset_counters();
    it.control().set_delay(std::time::Duration::from_millis(400));
    for _ in 0..3 {
        let made = (0..AT_ONE_TIME).map(|_| it.make());
        for made in futures_util::future::join_all(made).await {
            made.unwrap();
        }
    }
    let counters = it.control().counters();
    assert_eq!(counters.of(Call::Wrap), 3 * AT_ONE_TIME as u64);
    assert_eq!(counters.most_under_way, AT_ONE_TIME as u64);
    assert!(
        counters.connections <= AT_ONE_TIME as u64,
        "{}",
        counters.connections
    );
    assert_eq!(counters.of(Call::Token), 0);
}

#[tokio::test]
async fn a_long_secret_is_random_all_along() {
    let it = Fixture::new().await;
    let long = KeySpecification {
        kind: KeyKind::Generic { bytes: 4090 },
        ..AES_256
    };
    let made = it.backend.generate(&it.root, long).await.unwrap();
    let material = it.backend.release(&it.root, long, &made.wrapped).await.unwrap();
    let mut value = vec![0; material.len()];
    material.open_into(&mut value).unwrap();
    assert_eq!(value.len(), 4090);
    let mut parts: Vec<_> = value.chunks(8).collect();
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts.len(), 4090_usize.div_ceil(8));
}

#[tokio::test]
async fn a_key_opens_as_no_other_where_the_key_manager_binds_additional_data() {
    let it = Fixture::new().await;
    let wrapped = it.make().await.unwrap();
    assert_eq!(wrapped.profile, WrapProfile::KeyProtectAad);
    let mut other = AES_256;
    other.binding.object = Uuid::from_u128(3);
    let released = it.backend.release(&it.root, other, &wrapped).await;
    assert!(released.err().unwrap().is_refusal_of_the_wrapped_key());
    let unbound = WrappedKek {
        profile: WrapProfile::KeyProtect,
        ..wrapped
    };
    let error = it.value(&unbound).await.unwrap_err();
    assert!(error.is_refusal_of_the_wrapped_key(), "{error}");
}

#[tokio::test]
async fn a_doctor_sees_what_a_service_id_may_do_and_what_it_lacks() {
    let it = Fixture::new().await;
    let all = it.with(|config, _| config.kept_in = KeptIn::KeyManager);
    let steps = all.examine(Trial::ThrownAway).await;
    assert!(steps.iter().all(|step| step.outcome.is_ok()), "{steps:?}");
    assert!(steps.len() > 10);
    let reader = it.with(|config, stand_in| {
        config.api_key = ApiKeySource::File(stand_in.facts().reader_api_key_file.clone());
    });
    let steps = reader.examine(Trial::ThrownAway).await;
    let lacking: Vec<_> = steps.iter().filter_map(super::Step::lacking_role).collect();
    assert_eq!(lacking, ["service role Writer"]);
    let nobody = it.with(|config, _| {
        let path = it.directory.path().join("nobody.apikey");
        std::fs::write(&path, "nobody").unwrap();
        config.api_key = ApiKeySource::File(path);
    });
    let steps = nobody.examine(Trial::None).await;
    let last = steps.last().unwrap().outcome.as_ref().unwrap_err();
    assert!(matches!(last, KeyProtectError::ApiKeyRefused { .. }), "{last}");
}
