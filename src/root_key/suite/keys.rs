//! Keys under a root key.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::fixture::{Fixture, Maker, a_new, an_aes_256_key, value};
use crate::key::WrapProfile;
use crate::root_key::{Cipher, KeptKey, KeyKind, KeySpecification, MadeKey};

pub(crate) async fn keys_come_back_as_they_were_made_and_taken_in<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (backend, root) = (&fixture.backend, &fixture.root);
    backend.verify(root).await.unwrap();
    backend.check(root).await.unwrap();
    let key = an_aes_256_key();
    let made = backend.generate(root, key).await.unwrap();
    let first = fixture.value(key, &made.wrapped).await;
    assert_eq!(openssl::sha::sha256(&first), made.sha256);
    assert_eq!(fixture.value(key, &made.wrapped).await, first);

    let taken_in = an_aes_256_key();
    let imported = backend.import(root, taken_in, &first).await.unwrap();
    assert_eq!(imported.sha256, made.sha256);
    assert_ne!(imported.wrapped.bytes, first);
    assert_eq!(fixture.value(taken_in, &imported.wrapped).await, first);
}

pub(crate) async fn a_secret_of_any_length_comes_back_in_its_length<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let generic = [0, 1, 7, 15, 16, 20, 31, 32, 33, 64, 255, 4096].map(|bytes| KeyKind::Generic { bytes });
    let aes = [16, 24, 32].map(|bytes| KeyKind::Aes { bytes });
    for kind in aes.into_iter().chain(generic) {
        let taken_in = a_new(kind);
        let material: Vec<u8> = (1..=251).cycle().take(kind.bytes()).collect();
        let imported = fixture.backend.import(&fixture.root, taken_in, &material).await;
        let imported = imported.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        assert_eq!(fixture.value(taken_in, &imported.wrapped).await, material);
        if kind.bytes() == 0 {
            continue;
        }
        let key = a_new(kind);
        let made = fixture.backend.generate(&fixture.root, key).await;
        let MadeKey { wrapped, sha256 } = made.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let value = fixture.value(key, &wrapped).await;
        assert_eq!(
            (value.len(), openssl::sha::sha256(&value)),
            (kind.bytes(), sha256),
            "{kind:?}"
        );
    }
}

pub(crate) async fn a_key_is_wrapped_and_released_as_its_records_will_say<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    assert_eq!(wrapped.profile, M::EXPECTATIONS.wrap_profile);
    let released = fixture.backend.release(&fixture.root, key, &wrapped).await;
    assert_eq!(
        released.unwrap().release_profile(),
        M::EXPECTATIONS.release_profile
    );
}

pub(crate) async fn a_wrapped_key_that_was_changed_gives_no_other_key<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let before = fixture.value(key, &wrapped).await;
    let length = wrapped.bytes.len();
    for place in (0..16).map(|part| part * length / 16) {
        let mut changed = wrapped.clone();
        changed.bytes[place] ^= 1;
        match value(&*fixture.backend, &fixture.root, key, &changed).await {
            Err(refused) => assert!(
                refused.is_refusal_of_the_wrapped_key() && !refused.is_retryable(),
                "{place}: {refused}"
            ),
            Ok(value) => assert!(value == before && !M::EXPECTATIONS.every_bit_counts, "{place}"),
        }
    }
    let mut cut = wrapped.clone();
    cut.bytes.truncate(length / 2);
    let refused = value(&*fixture.backend, &fixture.root, key, &cut)
        .await
        .unwrap_err();
    assert!(!refused.is_retryable(), "{refused}");
    assert_eq!(
        fixture.value(key, &wrapped).await,
        before,
        "what was refused costs nothing"
    );
}

pub(crate) async fn a_wrapped_key_of_a_profile_that_the_backend_has_not_is_refused<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = an_aes_256_key();
    let mut wrapped = fixture.make_key(key).await;
    wrapped.profile = WrapProfile::AesGcm;
    wrapped.bytes.resize(12 + 32 + 16, 0);
    let refused = value(&*fixture.backend, &fixture.root, key, &wrapped).await;
    let refused = refused.unwrap_err();
    assert!(
        refused.is_unknown_wrapping() && !refused.is_retryable(),
        "{refused}"
    );
}

pub(crate) async fn a_key_opens_as_no_other_than_it_is<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (key, other) = (an_aes_256_key(), an_aes_256_key());
    let wrapped = fixture.make_key(key).await;
    let mut part = key;
    part.binding.part = 1;
    let mut of_another_adapter = key;
    of_another_adapter.binding.adapter = uuid::Uuid::from_u128(7);
    for as_another in [other, part, of_another_adapter] {
        let opened = value(&*fixture.backend, &fixture.root, as_another, &wrapped).await;
        assert_eq!(opened.is_err(), M::EXPECTATIONS.binds, "{:?}", as_another.binding);
        if let Err(refused) = opened {
            assert!(refused.is_refusal_of_the_wrapped_key(), "{refused}");
        }
    }
    fixture.value(key, &wrapped).await;
}

pub(crate) async fn another_root_key_does_not_release_a_key<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let other = fixture.another().await;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let refused = value(&*fixture.backend, &other, key, &wrapped).await.unwrap_err();
    assert!(
        refused.is_refusal_of_the_wrapped_key() && !refused.is_retryable(),
        "{refused}"
    );
}

pub(crate) async fn a_value_in_pieces_comes_back_whole<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (backend, root) = (&*fixture.backend, &fixture.root);
    let mut first = a_new(KeyKind::Generic { bytes: 4096 });
    first.binding.part = 0;
    let second = KeySpecification {
        kind: KeyKind::Generic { bytes: 904 },
        binding: crate::root_key::Binding {
            part: 1,
            ..first.binding
        },
    };
    let whole: Vec<u8> = (0..=250).cycle().take(5000).collect();
    let mut come_back = Vec::new();
    for (specification, piece) in [first, second].iter().zip(whole.chunks(4096)) {
        let made = backend.import(root, *specification, piece).await.unwrap();
        come_back.extend(value(backend, root, *specification, &made.wrapped).await.unwrap());
    }
    assert!(come_back == whole);
}

pub(crate) async fn requests_at_one_time_get_each_their_own_key<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let one = async || {
        let key = an_aes_256_key();
        let made = fixture.backend.generate(&fixture.root, key).await.unwrap();
        let value = fixture.value(key, &made.wrapped).await;
        assert_eq!(openssl::sha::sha256(&value), made.sha256);
        made.sha256
    };
    let keys = join_all((0..48).map(|_| one())).await;
    let different: BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
}

pub(crate) async fn requests_that_are_given_up_cost_the_others_nothing<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = an_aes_256_key();
    let wrapped = fixture.make_key(key).await;
    let before = fixture.value(key, &wrapped).await;
    for _ in 0..32 {
        let mut released = std::pin::pin!(fixture.backend.release(&fixture.root, key, &wrapped));
        // It has begun, and its asker goes.
        let begun = futures_util::poll!(&mut released);
        drop(begun);
    }
    assert_eq!(fixture.value(key, &wrapped).await, before);
    fixture.backend.check(&fixture.root).await.unwrap();
}

pub(crate) async fn keys_are_used_where_the_backend_can_and_refused_as_unsupported_where_not<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let specification = an_aes_256_key();
    let wrapped = fixture.make_key(specification).await;
    let key = KeptKey {
        root_key: &fixture.root,
        specification,
        wrapped: &wrapped,
    };
    let cipher = Cipher::Cbc { iv: [3; 16] };
    let encrypted = fixture.backend.encrypt(key, &cipher, &[9; 32]).await;
    assert_eq!(encrypted.is_ok(), M::EXPECTATIONS.uses_keys);
    match encrypted {
        Ok(data) => assert_eq!(
            fixture.backend.decrypt(key, &cipher, &data).await.unwrap(),
            [9; 32]
        ),
        Err(refused) => assert!(refused.unsupported_what().is_some(), "{refused}"),
    }
}

pub(crate) async fn random_numbers_are_of_the_length_that_was_asked_for_and_never_the_same<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let mut seen = BTreeSet::new();
    for length in [16, 100, 65_535] {
        let random = fixture.backend.random(length).await.unwrap();
        assert_eq!(random.len(), usize::from(length));
        assert!(seen.insert(random[..16].to_vec()), "the same bytes twice");
    }
}
