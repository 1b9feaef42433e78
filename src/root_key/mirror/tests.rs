//! A mirror over stand-ins that fail, hang and come back as they are told.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger_hsm::Error as DeviceError;
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::adapter::{RootKeyId, RootKeyOrigin, RootKeyState, WrappedBytes};
use crate::key::WrapProfile;
use crate::root_key::{Binding, KeyKind};

const AES_256: KeySpecification = KeySpecification {
    kind: KeyKind::Aes { bytes: 32 },
    binding: Binding {
        adapter: Uuid::from_u128(1),
        object: Uuid::from_u128(2),
        part: 0,
    },
};
const CHECK_VALUE: [u8; 8] = [7; 8];

#[derive(Clone)]
enum Behaviour {
    Serves,
    Fails(DeviceError),
    Hangs,
    /// Answers, and has no root key until then.
    LacksItUntil(Instant),
}

/// A member that says of itself which one it is, in the keys that it makes.
struct StandIn {
    name: &'static str,
    behaviour: Mutex<Behaviour>,
    asked: AtomicUsize,
    checked: AtomicUsize,
    wrap_profile: Mutex<&'static str>,
}

impl StandIn {
    fn new(name: &'static str) -> Arc<Self> {
        Arc::new(Self {
            name,
            behaviour: Mutex::new(Behaviour::Serves),
            asked: AtomicUsize::new(0),
            checked: AtomicUsize::new(0),
            wrap_profile: Mutex::new("aes-kw"),
        })
    }

    fn set(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    fn fails_with(&self, source: DeviceError) {
        self.set(Behaviour::Fails(source));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn act(&self) -> Result<(), Error> {
        let behaviour = self.behaviour.lock().unwrap().clone();
        let source = match behaviour {
            Behaviour::Hangs => return std::future::pending().await,
            Behaviour::Fails(source) => source,
            Behaviour::LacksItUntil(time) if Instant::now() < time => not_found(),
            Behaviour::Serves | Behaviour::LacksItUntil(_) => return Ok(()),
        };
        Err(Error::Device {
            backend: self.name.into(),
            source,
        })
    }

    async fn serve(&self) -> Result<WrappedKek, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.act().await?;
        Ok(WrappedKek {
            profile: WrapProfile::AesKw,
            bytes: self.name.as_bytes().to_vec(),
        })
    }
}

#[async_trait]
impl RootKeyBackend for StandIn {
    async fn create(&self, root_key: &RootKey) -> Result<CreatedRootKey, Error> {
        self.serve().await?;
        Ok(CreatedRootKey {
            label: root_key.label.clone(),
            origin: RootKeyOrigin::Generated,
            token_label: "token".into(),
            token_serial: self.name.into(),
            check_value: CHECK_VALUE.to_vec(),
        })
    }

    async fn verify(&self, _: &RootKey) -> Result<(), Error> {
        self.act().await
    }

    async fn generate(&self, _: &RootKey, _: KeySpecification) -> Result<MadeKey, Error> {
        Ok(MadeKey {
            wrapped: self.serve().await?,
            sha256: [0; 32],
        })
    }

    async fn import(&self, root_key: &RootKey, what: KeySpecification, _: &[u8]) -> Result<MadeKey, Error> {
        self.generate(root_key, what).await
    }

    async fn release(&self, _: &RootKey, _: KeySpecification, _: &WrappedKek) -> Result<Material, Error> {
        Ok(Material::of_stand_in(self.serve().await?.bytes))
    }

    async fn release_under(&self, _: KeptKey<'_>, _: KeptKey<'_>, _: KeyWrap) -> Result<Vec<u8>, Error> {
        Ok(self.serve().await?.bytes)
    }

    async fn rewrap(
        &self,
        _: &RootKey,
        _: &RootKey,
        _: KeySpecification,
        _: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        self.serve().await
    }

    async fn destroy(&self, _: &RootKey) -> Result<(), Error> {
        unreachable!("no test destroys a root key")
    }

    async fn offer_take_in(&self, _: &str) -> Result<RsaPublicKey, Error> {
        self.serve().await?;
        Ok(RsaPublicKey {
            modulus: self.name.as_bytes().to_vec(),
            exponent: vec![3],
        })
    }

    async fn take_in(
        &self,
        _: &str,
        _: &WrappedRootKey,
        root_key: &RootKey,
    ) -> Result<CreatedRootKey, Error> {
        self.create(root_key).await
    }

    fn device(&self) -> Result<Device, Error> {
        unreachable!("a mirror is not one device")
    }

    async fn check(&self, _: &RootKey) -> Result<(), Error> {
        self.checked.fetch_add(1, Ordering::SeqCst);
        self.act().await
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        if !matches!(*self.behaviour.lock().unwrap(), Behaviour::LacksItUntil(_)) {
            self.act().await?;
        }
        Ok(BackendDescription {
            name: self.name.into(),
            kind: "stand-in",
            token_label: "token".into(),
            token_serial: self.name.into(),
            manufacturer: String::new(),
            model: String::new(),
            firmware: String::new(),
            wrap_profile: (*self.wrap_profile.lock().unwrap()).into(),
            release_profile: "transport",
            worker_pids: vec![self.name.len().try_into().unwrap()],
            members: Vec::new(),
        })
    }
}

fn pair() -> (MirrorBackend, Arc<StandIn>, Arc<StandIn>) {
    let (one, other) = (StandIn::new("one"), StandIn::new("other"));
    let mirror = MirrorBackend::start(
        "pair",
        vec![("one".into(), one.clone()), ("other".into(), other.clone())],
        Duration::from_secs(30),
    );
    (mirror, one, other)
}

fn root_key() -> RootKey {
    RootKey {
        id: RootKeyId::new(),
        name: "root".into(),
        backend: "pair".into(),
        token_label: String::new(),
        token_serial: String::new(),
        label: "claviger.root.v1".into(),
        version: 1,
        check_value: CHECK_VALUE.to_vec(),
        seal_key: WrappedBytes {
            profile: "aes-kw".into(),
            bytes: Vec::new(),
        },
        created_at: OffsetDateTime::UNIX_EPOCH,
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    }
}

fn not_found() -> DeviceError {
    DeviceError::RootKeyNotFound {
        locator: "claviger.root.v1".into(),
    }
}

fn unavailable() -> DeviceError {
    DeviceError::Unavailable {
        reason: "it was pulled out".into(),
    }
}

/// Waits until no member is away.
async fn whole(mirror: &MirrorBackend) {
    while mirror.members.iter().any(|member| member.trouble().is_some()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_load_is_spread_over_all_members() {
    let (mirror, one, other) = pair();
    for _ in 0..20 {
        mirror.generate(&root_key(), AES_256).await.unwrap();
    }
    assert_eq!((one.asked(), other.asked()), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn no_request_fails_while_one_member_serves_and_the_lost_one_is_taken_back() {
    let device = |code| DeviceError::Function {
        function: "C_WrapKey".into(),
        code,
        name: "CKR".into(),
    };
    let faults = [
        unavailable(),
        DeviceError::Deadline,
        DeviceError::Busy,
        not_found(),
        device(0x30),
        // Not one that is known to pass by itself.
        device(0x68),
        DeviceError::RootKeyMismatch {
            locator: "claviger.root.v1".into(),
            expected: "07".into(),
            found: "08".into(),
        },
    ];
    for fault in faults {
        let (mirror, one, other) = pair();
        let root_key = root_key();
        mirror.verify(&root_key).await.unwrap();
        one.fails_with(fault.clone());
        for _ in 0..10 {
            let made = mirror.generate(&root_key, AES_256).await;
            assert_eq!(made.unwrap().wrapped.bytes, b"other", "{fault}");
        }
        // One that is full may have room again at the next request; all others are left alone.
        let most = if fault == DeviceError::Busy { 10 } else { 1 };
        assert!(one.asked() <= most, "{fault}: {}", one.asked());

        one.set(Behaviour::Serves);
        whole(&mirror).await;
        let before = one.asked();
        for _ in 0..10 {
            mirror.generate(&root_key, AES_256).await.unwrap();
        }
        assert_eq!(one.asked() - before, 5, "{fault}");
        assert!(other.asked() >= 15);
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_keeps_one_request_waiting_and_no_other() {
    let (mirror, one, _) = pair();
    let root_key = root_key();
    one.set(Behaviour::Hangs);
    let start = Instant::now();
    for _ in 0..10 {
        mirror.generate(&root_key, AES_256).await.unwrap();
    }
    assert_eq!(start.elapsed(), PATIENCE);
    assert_eq!(one.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_member_is_not_taken_back_before_its_root_key_was_compared_and_used() {
    let (mirror, one, _) = pair();
    let root_key = root_key();
    one.fails_with(unavailable());
    for _ in 0..2 {
        mirror.generate(&root_key, AES_256).await.unwrap();
    }
    one.fails_with(not_found());
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(one.checked.load(Ordering::SeqCst), 0, "its root key is not there");
    let trouble = mirror.describe().await.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        trouble.members[0]
            .trouble
            .as_ref()
            .unwrap()
            .contains("no root key"),
        "{trouble:?}"
    );
    one.set(Behaviour::Serves);
    whole(&mirror).await;
    assert_eq!(one.checked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn another_root_key_is_served_by_a_member_that_lacks_one() {
    let (mirror, one, _) = pair();
    let (lacking, having) = (root_key(), root_key());
    mirror.members.lose(
        0,
        &[&lacking],
        &Error::Device {
            backend: "one".into(),
            source: not_found(),
        },
    );
    one.set(Behaviour::Serves);
    for _ in 0..4 {
        mirror.generate(&having, AES_256).await.unwrap();
    }
    assert_eq!(one.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_changed_key_is_refused_and_costs_no_member() {
    let (mirror, one, other) = pair();
    one.fails_with(DeviceError::WrappedKeyRefused);
    other.fails_with(DeviceError::WrappedKeyRefused);
    let error = mirror.generate(&root_key(), AES_256).await.unwrap_err();
    assert!(error.is_refusal_of_the_wrapped_key());
    assert!(mirror.members.iter().all(|member| member.trouble().is_none()));
    // Where one opens it, the other is at fault.
    other.set(Behaviour::Serves);
    for _ in 0..4 {
        mirror.generate(&root_key(), AES_256).await.unwrap();
    }
    assert!(mirror.members.get(0).trouble().is_some());
}

#[tokio::test(start_paused = true)]
async fn clients_are_told_to_try_again_when_every_member_is_away() {
    let (mirror, one, other) = pair();
    let root_key = root_key();
    one.fails_with(not_found());
    other.fails_with(unavailable());
    for _ in 0..3 {
        let error = mirror.generate(&root_key, AES_256).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    }
    assert!(mirror.verify(&root_key).await.unwrap_err().is_retryable());
    other.set(Behaviour::Serves);
    mirror.generate(&root_key, AES_256).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_status_tells_how_each_member_is() {
    let (mirror, _, other) = pair();
    let whole = mirror.describe().await.unwrap();
    assert_eq!((whole.name.as_str(), whole.worker_pids), ("pair", vec![3, 5]));
    assert!(whole.members.iter().all(|member| member.trouble.is_none()));
    *other.wrap_profile.lock().unwrap() = "aes-kwp";
    let unequal = mirror.describe().await.unwrap();
    assert!(
        unequal.members[1]
            .trouble
            .as_ref()
            .unwrap()
            .contains("wrap_profile")
    );
    other.fails_with(unavailable());
    let half = mirror.describe().await.unwrap();
    assert_eq!(half.members[0].trouble, None);
    assert!(half.members[1].trouble.as_ref().unwrap().contains("pulled out"));
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_away_is_found_by_a_check_before_a_request_needs_it() {
    for lost in [Behaviour::Fails(unavailable()), Behaviour::Hangs] {
        let (mirror, one, _) = pair();
        let root_key = root_key();
        one.set(lost);
        mirror.check(&root_key).await.unwrap();
        assert!(mirror.members.get(0).trouble().is_some());
        for _ in 0..4 {
            mirror.generate(&root_key, AES_256).await.unwrap();
        }
        assert_eq!(one.asked(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_root_key_is_used_once_every_member_has_it() {
    let (mirror, one, other) = pair();
    let created = mirror.create(&root_key()).await.unwrap();
    assert_eq!(created.check_value, CHECK_VALUE);
    assert_eq!(one.asked() + other.asked(), 1, "it is made once");

    // The next is made by the other member, and the token that is recorded stays.
    let present = RootKey {
        token_label: created.token_label.clone(),
        token_serial: created.token_serial.clone(),
        version: 2,
        ..root_key()
    };
    let again = mirror.create(&present).await.unwrap();
    assert_eq!((one.asked(), other.asked()), (1, 1));
    assert_eq!(again, created);
}

#[tokio::test(start_paused = true)]
async fn a_root_key_that_does_not_reach_every_member_in_time_is_not_used() {
    let (mirror, _, other) = pair();
    let lacks_it_for = |seconds| Behaviour::LacksItUntil(Instant::now() + Duration::from_secs(seconds));
    other.set(lacks_it_for(20));
    mirror.create(&root_key()).await.unwrap();

    let (mirror, _, other) = pair();
    other.set(lacks_it_for(40));
    let error = mirror.create(&root_key()).await.unwrap_err();
    assert!(
        matches!(&error, Error::NotReplicated { made_on, missing_on, .. } if made_on == "one" && missing_on == "other"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_root_key_that_is_brought_comes_to_the_member_that_gave_out_the_key_for_it() {
    let (mirror, one, other) = pair();
    let wrapped = WrappedRootKey(vec![1]);
    for times in 1..4 {
        let offered = mirror.offer_take_in("brought").await.unwrap();
        assert_eq!(offered.modulus, b"one");
        let taken_in = mirror.take_in("brought", &wrapped, &root_key()).await.unwrap();
        assert_eq!(taken_in.token_serial, "one");
        assert_eq!((one.asked(), other.asked()), (2 * times, 0));
    }
    other.set(Behaviour::LacksItUntil(Instant::now() + Duration::from_secs(40)));
    let error = mirror
        .take_in("brought", &wrapped, &root_key())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotReplicated { .. }), "{error}");
    other.fails_with(unavailable());
    let error = mirror.offer_take_in("brought").await.unwrap_err();
    assert!(matches!(error, Error::MemberAway { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn no_root_key_is_made_while_a_member_is_away() {
    let (mirror, one, other) = pair();
    one.fails_with(unavailable());
    let error = mirror.create(&root_key()).await.unwrap_err();
    assert!(
        matches!(&error, Error::MemberAway { member, .. } if member == "one"),
        "{error}"
    );
    assert_eq!((one.asked(), other.asked()), (0, 0));
}
