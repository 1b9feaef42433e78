//! The end-to-end tests that run on every kind of root-key backend, and in what these differ.

use claviger_key_protect_stand_in::Form;

use super::key_protect::KeyProtect;
use super::keys::keys_on;
use super::server::Server;

/// What holds the root keys of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A SoftHSMv2 token.
    SoftHsm,
    /// Key Protect's stand-in.
    KeyProtect,
    /// The stand-in in the form of HPCS.
    Hpcs,
}

impl Backend {
    /// A server with a root key there and the adapter `vcenter`.
    pub fn server(self) -> Server {
        self.server_with("")
    }

    /// The same, with more sections in its configuration.
    pub fn server_with(self, sections: &str) -> Server {
        let form = match self {
            Self::SoftHsm => return Server::start_with_sections(sections),
            Self::KeyProtect => Form::KeyProtect,
            Self::Hpcs => Form::Hpcs,
        };
        Server::start_on_key_protect(KeyProtect::start(form), "", sections)
    }

    /// Whether one earlier version of a root key can be destroyed while the root key stays.
    pub fn destroys_versions(self) -> bool {
        self == Self::SoftHsm
    }

    /// Whether what is under a root key can be read while that is disabled, as a server does that starts: a device knows
    /// nothing of it. Where it can't be, nobody is let in until the root key is enabled.
    pub fn opens_what_is_disabled(self) -> bool {
        self == Self::SoftHsm
    }

    /// How many objects are on the server's token, where it has one.
    pub fn keys_there(self, server: &Server) -> Option<usize> {
        (self == Self::SoftHsm).then(|| keys_on(server.token()))
    }
}

/// Makes of each of these functions of a [`Backend`] a test on every backend, in a module of its name.
#[macro_export]
macro_rules! on_every_backend {
    ($($test:ident),* $(,)?) => {
        $crate::on_a_device_and_key_protect!($($test),*);
        $crate::on_a_device_and_key_protect!(@on hpcs Hpcs: $($test)*);
    };
}

/// The same without HPCS, for what does not depend on which of the two services it is.
#[macro_export]
macro_rules! on_a_device_and_key_protect {
    ($($test:ident),* $(,)?) => {
        $crate::on_a_device_and_key_protect!(@on softhsm SoftHsm: $($test)*);
        $crate::on_a_device_and_key_protect!(@on key_protect KeyProtect: $($test)*);
    };
    (@on $module:ident $backend:ident: $($test:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::$test(super::support::backend::Backend::$backend);
                }
            )*
        }
    };
}
