//! The end-to-end tests that run on every kind of root-key backend, and in what these differ.

use super::keys::keys_on;
use super::server::Server;

/// What holds the root keys of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// A SoftHSMv2 token.
    SoftHsm,
}

impl Backend {
    /// A server with a root key there and the adapter `vcenter`.
    pub fn server(self) -> Server {
        self.server_with("")
    }

    /// The same, with more lines in its configuration.
    pub fn server_with(self, sections: &str) -> Server {
        match self {
            Self::SoftHsm => Server::start_with_sections(sections),
        }
    }

    /// Whether one earlier version of a root key can be destroyed while the root key stays.
    pub fn destroys_versions(self) -> bool {
        match self {
            Self::SoftHsm => true,
        }
    }

    /// How many objects are on the server's token, where it has one.
    pub fn keys_there(self, server: &Server) -> Option<usize> {
        match self {
            Self::SoftHsm => Some(keys_on(server.token())),
        }
    }
}

/// Makes of each of these functions of a [`Backend`] a test on every backend, in a module of its name.
#[macro_export]
macro_rules! on_every_backend {
    ($($test:ident),* $(,)?) => {
        on_every_backend!(@on softhsm SoftHsm: $($test)*);
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
