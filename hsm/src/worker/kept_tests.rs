//! Keys that are kept unwrapped on the device: right ones, few, and not for long.

use std::time::Duration;

use super::ladder_tests::Scene;
use super::protocol::{Operation, Reply, Start};
use crate::configuration::KeptKeys;
use crate::in_process::with_token;
use crate::memory::LockedBuffer;
use crate::wrapped::Wrapped;

const LONG: Duration = Duration::from_hours(1);

/// A scene that keeps keys, with three more keys and how many session objects there are while none is kept.
fn scene(start: Start, count: usize, time: Duration) -> (Scene, Vec<Wrapped>, usize) {
    let kept_keys = Some(KeptKeys { count, time });
    let mut scene = Scene::new(Start { kept_keys, ..start });
    let keys = (0..3).map(|_| scene.generate()).collect();
    let objects = scene.host.session_objects();
    (scene, keys, objects)
}

impl Scene {
    /// A release that is opened, as the other side of the boundary does it.
    fn value(&mut self, key: &Wrapped) -> Vec<u8> {
        self.wrapped = key.clone();
        let Ok(Reply::Released(transported)) = self.release() else {
            panic!("it is released");
        };
        let mut value = LockedBuffer::zeroed(32);
        self.transport_keys[&transported.epoch]
            .open(&transported.wrapped, 32, value.as_mut_slice())
            .unwrap();
        value.as_slice().to_vec()
    }

    fn forget(&mut self, key: Option<&Wrapped>) {
        let forget = Operation::Forget {
            root: self.root.clone(),
            wrapped: key.cloned(),
        };
        assert_eq!(self.ask(&forget), Ok(Reply::Done));
    }
}

#[test]
fn keys_that_are_kept_are_the_right_ones_and_no_more_than_was_said() {
    with_token(
        "worker::kept_tests::keys_that_are_kept_are_the_right_ones_and_no_more_than_was_said",
        |start| {
            let (mut scene, keys, objects) = scene(start, 2, LONG);
            let values: Vec<_> = keys.iter().map(|key| scene.value(key)).collect();
            assert_eq!(scene.host.session_objects(), objects + 2);
            for _ in 0..5 {
                for (key, value) in keys.iter().zip(&values) {
                    assert_eq!(scene.value(key), *value);
                    assert_eq!(scene.value(key), *value);
                }
            }
            assert_eq!(scene.host.session_objects(), objects + 2);
        },
    );
}

#[test]
fn a_key_that_is_forgotten_leaves_the_device_at_once() {
    with_token(
        "worker::kept_tests::a_key_that_is_forgotten_leaves_the_device_at_once",
        |start| {
            let (mut scene, keys, objects) = scene(start, 10, LONG);
            let value = scene.value(&keys[0]);
            scene.value(&keys[1]);
            scene.value(&keys[2]);
            assert_eq!(scene.host.session_objects(), objects + 3);
            scene.forget(Some(&keys[0]));
            assert_eq!(scene.host.session_objects(), objects + 2);
            scene.forget(None);
            assert_eq!(scene.host.session_objects(), objects);
            assert_eq!(scene.value(&keys[0]), value);
        },
    );
}

#[test]
fn a_key_leaves_the_device_when_its_time_is_over() {
    with_token(
        "worker::kept_tests::a_key_leaves_the_device_when_its_time_is_over",
        |start| {
            let (mut scene, keys, objects) = scene(start, 10, Duration::ZERO);
            let value = scene.value(&keys[0]);
            scene.host.tidy();
            assert_eq!(scene.host.session_objects(), objects);
            assert_eq!(scene.value(&keys[0]), value);
        },
    );
}

#[test]
fn a_kept_key_that_the_device_lost_is_unwrapped_again() {
    with_token(
        "worker::kept_tests::a_kept_key_that_the_device_lost_is_unwrapped_again",
        |start| {
            let (mut scene, keys, _) = scene(start, 10, LONG);
            let value = scene.value(&keys[0]);
            scene.value(&keys[1]);
            scene.host.destroy_kept_objects();
            assert_eq!(scene.value(&keys[0]), value);
            assert_eq!(scene.value(&keys[0]), value);
        },
    );
}
