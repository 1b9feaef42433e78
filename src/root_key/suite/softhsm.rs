//! A device: SoftHSMv2.

use std::sync::Arc;

use claviger_hsm::Device;
use claviger_hsm::testkit::{SoftHsm, worker_in_this_test_program};

use super::expectations::SOFTHSM;
use super::fixture::BACKEND;
use super::{Expectations, Maker, root_key_suite};
use crate::root_key::{Pkcs11Backend, RootKeyBackend};

#[test]
#[ignore = "the worker program of the tests of root keys"]
fn worker() {
    claviger_hsm::worker::serve_inherited();
}

/// The path of [`worker`].
pub(crate) const WORKER: &str = "root_key::suite::softhsm::worker";

/// The backend as it is, for what only a device can be asked.
pub(crate) async fn backend(token: &SoftHsm) -> Pkcs11Backend {
    let command = worker_in_this_test_program(WORKER);
    let device = Device::start(token.device_config(BACKEND), command).await;
    Pkcs11Backend::new(device.unwrap())
}

struct Token(SoftHsm);

impl Maker for Token {
    const EXPECTATIONS: Expectations = SOFTHSM;

    async fn make() -> Self {
        Self(SoftHsm::new())
    }

    async fn start(&self) -> Arc<dyn RootKeyBackend> {
        Arc::new(backend(&self.0).await)
    }
}

root_key_suite!(Token);
