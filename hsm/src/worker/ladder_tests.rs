//! What goes away under a running worker, and how far it climbs to get it back.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;

use super::TransportPair;
use super::frame::Decoder;
use super::host::{Ended, Host, Seat};
use super::login::Logins;
use super::protocol::{Digest, Message, Operation, Reply};
use super::queue::Outbox;
use crate::Error;
use crate::in_process::with_token;
use crate::key::{KeyKind, RootKeyLocator};
use crate::software::SoftwareKey;
use crate::wrapped::{WrapProfile, Wrapped};

const AES_256: KeyKind = KeyKind::Aes { bytes: 32 };

/// A host with one root key and one key under it.
pub(super) struct Scene {
    pub(super) host: Host,
    seat: Seat,
    outbox: Outbox,
    said: UnixStream,
    pub(super) root: RootKeyLocator,
    pub(super) wrapped: Wrapped,
    /// Those of the start, by their epochs.
    pub(super) transport_keys: HashMap<u64, SoftwareKey>,
}

impl Scene {
    pub(super) fn new(start: super::protocol::Start) -> Self {
        let pair = TransportPair::generate().unwrap();
        let start = super::protocol::Start {
            transport_recipient: pair.recipient(),
            ..start
        };
        let (host, ready) = Host::open(start, Logins::new().unwrap()).unwrap();
        let first = ready.transport_key;
        let transport_keys = HashMap::from([(first.epoch, pair.receive(&first).unwrap())]);
        let (ours, said) = UnixStream::pair().unwrap();
        said.set_nonblocking(true).unwrap();
        let root = RootKeyLocator {
            label: "root".into(),
            id: vec![1; 16],
            check_value: None,
        };
        let wrapped = Wrapped {
            profile: WrapProfile::AesKw,
            bytes: Vec::new(),
        };
        let mut scene = Self {
            host,
            seat: Seat::default(),
            outbox: Outbox::new(ours),
            said,
            root,
            wrapped,
            transport_keys,
        };
        scene.ask(&Operation::CreateRootKey(scene.root.clone())).unwrap();
        scene.wrapped = scene.generate();
        scene
    }

    pub(super) fn generate(&mut self) -> Wrapped {
        let generate = Operation::Generate {
            root: self.root.clone(),
            kind: AES_256,
            digest: true,
        };
        match self.ask(&generate) {
            Ok(Reply::Made {
                wrapped,
                digest: Digest::Sha256(_),
            }) => wrapped,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn ask(&mut self, operation: &Operation) -> Result<Reply, Error> {
        match self.host.answer(&mut self.seat, operation, &self.outbox) {
            Ended::Answered(outcome) => Ok(outcome.reply),
            Ended::Refused(error) => Err(error),
            Ended::GiveUp(error) => panic!("the worker would end: {error}"),
        }
    }

    pub(super) fn release(&mut self) -> Result<Reply, Error> {
        let root = self.root.clone();
        self.ask(&Operation::Release {
            root,
            kind: AES_256,
            wrapped: self.wrapped.clone(),
        })
    }

    /// The epochs of the transport keys that were handed over since the start.
    fn epochs(&self) -> Vec<u64> {
        let (mut decoder, mut epochs) = (Decoder::default(), Vec::new());
        while let Ok(Some(message)) = decoder.read::<Message>(&mut &self.said) {
            match message {
                Message::TransportKey(handed) => epochs.push(handed.epoch),
                Message::Healing(_) => {}
                other => panic!("{other:?}"),
            }
        }
        epochs
    }

    fn released(&mut self) {
        let released = self.release();
        assert!(matches!(released, Ok(Reply::Released(_))), "{released:?}");
    }
}

#[test]
fn a_logout_by_another_hand_is_healed() {
    with_token(
        "worker::ladder_tests::a_logout_by_another_hand_is_healed",
        |start| {
            let mut scene = Scene::new(start);
            scene.seat.pkcs11().logout().unwrap();
            scene.released();
            scene.released();
        },
    );
}

#[test]
fn a_pin_that_is_wrong_at_a_later_login_is_tried_once() {
    with_token(
        "worker::ladder_tests::a_pin_that_is_wrong_at_a_later_login_is_tried_once",
        |start| {
            let pin_file = start.pin_file.clone();
            let mut scene = Scene::new(start);
            std::fs::write(pin_file, "not-the-pin").unwrap();
            scene.seat.pkcs11().logout().unwrap();
            let refused = |name: &str| {
                Err(Error::PinIncorrect {
                    name: name.to_owned(),
                })
            };
            assert_eq!(scene.release(), refused("CKR_PIN_INCORRECT"));
            assert_eq!(scene.release(), refused("refused before"));
        },
    );
}

#[test]
fn a_transport_key_that_was_lost_is_made_anew() {
    with_token(
        "worker::ladder_tests::a_transport_key_that_was_lost_is_made_anew",
        |start| {
            let mut scene = Scene::new(start);
            scene.host.destroy_session_objects();
            scene.released();
            assert_eq!(scene.epochs(), [1 << 32]);
            scene.released();
        },
    );
}

#[test]
fn a_module_that_was_finalised_is_initialised_once_for_all_threads() {
    with_token(
        "worker::ladder_tests::a_module_that_was_finalised_is_initialised_once_for_all_threads",
        |start| {
            let mut scene = Scene::new(start);
            let mut other = Seat::default();
            let generate = Operation::Generate {
                root: scene.root.clone(),
                kind: AES_256,
                digest: true,
            };
            assert!(matches!(
                scene.host.answer(&mut other, &generate, &scene.outbox),
                Ended::Answered(_)
            ));
            scene.host.finalise_behind_its_back();
            scene.released();
            assert!(matches!(
                scene.host.answer(&mut other, &generate, &scene.outbox),
                Ended::Answered(_)
            ));
            assert_eq!(scene.epochs(), [1 << 32]);
        },
    );
}

#[test]
fn a_bad_request_climbs_nothing() {
    with_token("worker::ladder_tests::a_bad_request_climbs_nothing", |start| {
        let mut scene = Scene::new(start);
        scene.wrapped.bytes[3] ^= 1;
        assert_eq!(scene.release(), Err(Error::WrappedKeyRefused));
        assert_eq!(scene.epochs(), []);
    });
}

#[test]
fn a_root_key_that_was_deleted_is_an_error_and_not_the_end_of_the_worker() {
    with_token(
        "worker::ladder_tests::a_root_key_that_was_deleted_is_an_error_and_not_the_end_of_the_worker",
        |start| {
            let mut scene = Scene::new(start);
            scene.host.delete_root_key(&scene.root);
            assert!(matches!(scene.release(), Err(Error::RootKeyNotFound { .. })));
            assert!(
                matches!(scene.ask(&Operation::ListRootKeys), Ok(Reply::RootKeys(keys)) if keys.is_empty())
            );
        },
    );
}

#[test]
fn no_request_however_it_ends_leaves_an_object_on_the_device() {
    with_token(
        "worker::ladder_tests::no_request_however_it_ends_leaves_an_object_on_the_device",
        |start| {
            let mut scene = Scene::new(start);
            let root = scene.root.clone();
            let absent = RootKeyLocator {
                label: "absent".into(),
                id: vec![9],
                check_value: None,
            };
            let material = super::protocol::Transported {
                epoch: 0,
                wrapped: Wrapped {
                    profile: WrapProfile::AesKw,
                    bytes: vec![7; 40],
                },
            };
            let mut changed = scene.wrapped.clone();
            changed.bytes[0] ^= 1;
            for _ in 0..20 {
                for digest in [true, false] {
                    for kind in [AES_256, KeyKind::Generic { bytes: 24 }] {
                        scene
                            .ask(&Operation::Generate {
                                root: root.clone(),
                                kind,
                                digest,
                            })
                            .unwrap();
                    }
                }
                scene.released();
                scene.ask(&Operation::Check(root.clone())).unwrap();
                scene.ask(&Operation::FindRootKey(root.clone())).unwrap();
                let refused = [
                    Operation::Release {
                        root: root.clone(),
                        kind: AES_256,
                        wrapped: changed.clone(),
                    },
                    Operation::Import {
                        root: root.clone(),
                        kind: AES_256,
                        material: material.clone(),
                    },
                    Operation::Generate {
                        root: absent.clone(),
                        kind: AES_256,
                        digest: true,
                    },
                    Operation::CreateRootKey(root.clone()),
                ];
                for operation in refused {
                    assert!(scene.ask(&operation).is_err(), "{operation:?}");
                }
            }
            // The transport key.
            assert_eq!(scene.host.session_objects(), 1);
        },
    );
}
