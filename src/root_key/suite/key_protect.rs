//! Key Protect's stand-in, and Hyper Protect Crypto Services' form of it in what it may do with additional authenticated
//! data: bind it, take no notice of it, refuse it.

use std::sync::Arc;

use claviger_hsm::testkit::worker_in_this_test_program;
use claviger_key_protect_stand_in::{Aad, Form, Options, StandIn};
use tempfile::TempDir;

use super::expectations::{KEY_PROTECT, KEY_PROTECT_WITHOUT_AAD};
use super::fixture::BACKEND;
use super::softhsm::WORKER;
use super::{Expectations, Maker, root_key_suite};
use crate::root_key::RootKeyBackend;
use crate::root_key::key_protect::{ApiKeySource, KeyProtectBackend, KeyProtectConfig};

/// A stand-in of one test.
struct Instance {
    stand_in: StandIn,
    // Behind what lies in it: fields are dropped in their order.
    _directory: TempDir,
}

impl Instance {
    fn new(form: Form, aad: Aad) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            form,
            aad,
            workers: 1,
            ..Options::new(directory.path(), worker_in_this_test_program(WORKER))
        };
        Self {
            stand_in: StandIn::start(options).unwrap(),
            _directory: directory,
        }
    }

    fn backend(&self) -> Arc<dyn RootKeyBackend> {
        let facts = self.stand_in.facts();
        let api_key = ApiKeySource::File(facts.api_key_file.clone());
        let mut config = KeyProtectConfig::new(BACKEND, &*facts.url, facts.instance_id.to_string(), api_key);
        config.iam_url.clone_from(&facts.iam_url);
        config.ca_file = Some(facts.ca_file.clone());
        Arc::new(KeyProtectBackend::new(config).unwrap())
    }
}

/// Makes the suite for one form, or some tests of it.
macro_rules! of_the_form {
    ($module:ident: $form:expr, $aad:expr, $expectations:expr; $($suite:tt)*) => {
        mod $module {
            use super::*;

            struct ThisForm(Instance);

            impl Maker for ThisForm {
                const EXPECTATIONS: Expectations = $expectations;

                async fn make() -> Self {
                    Self(Instance::new($form, $aad))
                }

                async fn start(&self) -> Arc<dyn RootKeyBackend> {
                    self.0.backend()
                }
            }

            root_key_suite!($($suite)*);
        }
    };
}

of_the_form!(bound: Form::KeyProtect, Aad::Bound, KEY_PROTECT; ThisForm);
of_the_form!(hpcs: Form::Hpcs, Aad::Ignored, KEY_PROTECT_WITHOUT_AAD; ThisForm);
// What additional data has to do with.
of_the_form!(hpcs_that_refuses_aad: Form::Hpcs, Aad::Refused, KEY_PROTECT_WITHOUT_AAD; @tests ThisForm; keys:
    keys_come_back_as_they_were_made_and_taken_in,
    a_key_is_wrapped_and_released_as_its_records_will_say,
    a_key_opens_as_no_other_than_it_is,
);
