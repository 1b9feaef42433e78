//! Keys that go from a token of one maker to one of another, and back.

use claviger_hsm::testkit::TokenKind;
use claviger_hsm::{Device, DeviceConfig, Error, RootKeyLocator, WrapProfile};

use crate::support::{carry_and_leave_nothing, patient, root, start};

async fn with_root_key(config: DeviceConfig, number: u8) -> (Device, RootKeyLocator) {
    let device = start(patient(config)).await;
    let root = root(number);
    device.create_root_key(&root).await.expect("a root key is made");
    (device, root)
}

#[tokio::test]
async fn keys_move_from_softhsm_to_kryoptic_and_back_by_a_wrap_profile_that_both_know() {
    let (Some(softhsm), Some(kryoptic)) = (TokenKind::SoftHsm.token(), TokenKind::Kryoptic.token()) else {
        return;
    };
    let (softhsm, here) = with_root_key(softhsm.device_config("softhsm"), 1).await;
    let (best, there) = with_root_key(kryoptic.device_config("kryoptic"), 2).await;
    carry_and_leave_nothing((&softhsm, &here), (&best, &there)).await;
    // By its best profile it wraps as SoftHSM does not.
    let refused = best.share_key_with(&softhsm, &root(3)).await.unwrap_err();
    assert!(matches!(refused, Error::NoWrapProfile { .. }), "{refused}");
    assert_eq!(softhsm.list_root_keys().await.unwrap().len(), 1);
    best.shutdown().await;

    let agreed = DeviceConfig {
        wrap_profile: Some(WrapProfile::AesKw),
        ..kryoptic.device_config("kryoptic")
    };
    let agreed = start(patient(agreed)).await;
    carry_and_leave_nothing((&agreed, &there), (&softhsm, &here)).await;
}

#[tokio::test]
async fn a_move_that_two_devices_can_not_do_is_refused_and_leaves_nothing() {
    let (Some(softhsm), Some(other)) = (TokenKind::SoftHsm.token(), TokenKind::OpenCryptoki.token()) else {
        return;
    };
    let (softhsm, _) = with_root_key(softhsm.device_config("softhsm"), 1).await;
    let (other, _) = with_root_key(other.device_config("opencryptoki"), 2).await;
    // The one wraps as the other does not; the other leaves readable what it unwraps.
    let refused = softhsm.share_key_with(&other, &root(3)).await.unwrap_err();
    assert!(matches!(refused, Error::NoWrapProfile { .. }), "{refused}");
    let refused = other.share_key_with(&softhsm, &root(3)).await.unwrap_err();
    assert!(matches!(refused, Error::RootKeyUnfit { .. }), "{refused}");
    for device in [softhsm, other] {
        assert_eq!(device.list_root_keys().await.unwrap().len(), 1);
    }
}
