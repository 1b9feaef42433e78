//! Root keys that are rotated, disabled, destroyed and brought back.

use super::fixture::{Fixture, Maker, a_new, an_aes_256_key, value};
use crate::root_key::{Error, KeyKind};

pub(crate) async fn a_key_that_is_wrapped_anew_keeps_its_bytes<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let other = fixture.another().await;
    let backend = &*fixture.backend;
    for key in [an_aes_256_key(), a_new(KeyKind::Generic { bytes: 33 })] {
        let wrapped = fixture.make_key(key).await;
        let before = fixture.value(key, &wrapped).await;
        let moved = backend
            .rewrap(&fixture.root, &other, key, &wrapped)
            .await
            .unwrap();
        assert_eq!(value(backend, &other, key, &moved).await, Ok(before));
        assert!(value(backend, &fixture.root, key, &moved).await.is_err());
    }
}

pub(crate) async fn a_rotation_leaves_every_key_where_it_is_found<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let backend = &*fixture.backend;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let before = fixture.value(key, &wrapped).await;
    let next = fixture.rotated().await;
    assert_ne!(next.check_value, fixture.root.check_value);
    backend.verify(&next).await.unwrap();
    backend.check(&next).await.unwrap();
    backend.verify(&fixture.root).await.unwrap();
    assert_eq!(
        fixture.value(key, &wrapped).await,
        before,
        "under the version that it is under"
    );

    let moved = backend.rewrap(&fixture.root, &next, key, &wrapped).await.unwrap();
    assert_eq!(value(backend, &next, key, &moved).await, Ok(before.clone()));
    let again = backend.rewrap(&fixture.root, &next, key, &wrapped).await.unwrap();
    assert_eq!(
        value(backend, &next, key, &again).await,
        Ok(before),
        "it can be repeated"
    );
    let new = an_aes_256_key();
    let made = backend.generate(&next, new).await.unwrap();
    assert_eq!(value(backend, &next, new, &made.wrapped).await.unwrap().len(), 32);
}

pub(crate) async fn a_key_that_was_wrapped_anew_when_it_was_released_opens_from_there<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let backend = &*fixture.backend;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let before = fixture.value(key, &wrapped).await;
    let released = backend.release(&fixture.root, key, &wrapped).await.unwrap();
    assert!(released.rewrapped().is_none(), "there is no later version");
    let next = fixture.rotated().await;
    let released = backend.release(&fixture.root, key, &wrapped).await.unwrap();
    assert_eq!(released.rewrapped().is_some(), M::EXPECTATIONS.rewraps_at_release);
    if let Some(anew) = released.rewrapped() {
        assert_eq!(
            value(backend, &next, key, &anew.wrapped).await,
            Ok(before.clone())
        );
        assert_eq!(anew.check_value, next.check_value);
        let of_the_next = backend.release(&next, key, &anew.wrapped).await.unwrap();
        assert!(
            of_the_next.rewrapped().is_none(),
            "it is under the latest version"
        );
    }
    assert_eq!(fixture.value(key, &wrapped).await, before);
}

pub(crate) async fn a_destroyed_root_key_opens_nothing_any_more_and_no_other_is_touched<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let other = fixture.another().await;
    let backend = &*fixture.backend;
    let (key, of_the_other) = (an_aes_256_key(), an_aes_256_key());
    let wrapped = fixture.make_key(key).await;
    let kept = backend.generate(&other, of_the_other).await.unwrap().wrapped;
    for _ in 0..2 {
        backend.destroy(&fixture.root).await.unwrap();
        assert!(backend.verify(&fixture.root).await.is_err());
        assert!(value(backend, &fixture.root, key, &wrapped).await.is_err());
        assert!(backend.generate(&fixture.root, an_aes_256_key()).await.is_err());
    }
    assert_eq!(
        value(backend, &other, of_the_other, &kept).await.unwrap().len(),
        32
    );
}

pub(crate) async fn an_earlier_version_goes_alone_or_not_at_all<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let backend = &*fixture.backend;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let next = fixture.rotated().await;
    let moved = backend.rewrap(&fixture.root, &next, key, &wrapped).await.unwrap();
    assert_eq!(backend.keeps_versions(), M::EXPECTATIONS.keeps_versions);
    let destroyed = backend.destroy_version(&fixture.root).await;
    assert_eq!(destroyed.is_err(), M::EXPECTATIONS.keeps_versions);
    if let Err(refused) = destroyed {
        assert!(matches!(refused, Error::Unsupported { .. }), "{refused}");
    }
    let earlier = value(backend, &fixture.root, key, &wrapped).await;
    assert_eq!(earlier.is_ok(), M::EXPECTATIONS.keeps_versions);
    assert_eq!(value(backend, &next, key, &moved).await.unwrap().len(), 32);
}

pub(crate) async fn a_destroyed_root_key_is_brought_back_with_its_keys_where_the_backend_can<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let backend = &*fixture.backend;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let before = fixture.value(key, &wrapped).await;
    backend.destroy(&fixture.root).await.unwrap();
    let restored = backend.restore(&fixture.root).await;
    assert_eq!(restored.is_ok(), M::EXPECTATIONS.restores, "{restored:?}");
    match restored {
        Ok(()) => {
            backend.check(&fixture.root).await.unwrap();
            assert_eq!(fixture.value(key, &wrapped).await, before);
        }
        Err(refused) => assert!(refused.unsupported_what().is_some(), "{refused}"),
    }
}

pub(crate) async fn a_disabled_root_key_opens_nothing_where_the_backend_can_and_afterwards_all<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let backend = &*fixture.backend;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let before = fixture.value(key, &wrapped).await;
    for _ in 0..2 {
        for _ in 0..2 {
            backend.disable(&fixture.root).await.unwrap();
        }
        let released = value(backend, &fixture.root, key, &wrapped).await;
        assert_eq!(released.is_err(), M::EXPECTATIONS.disables);
        assert_eq!(
            backend.check(&fixture.root).await.is_err(),
            M::EXPECTATIONS.disables
        );
        for _ in 0..2 {
            backend.enable(&fixture.root).await.unwrap();
        }
        assert_eq!(fixture.value(key, &wrapped).await, before);
    }
}
