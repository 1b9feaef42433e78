//! In what the backends differ: one table, so that the tests have no cases of their own.

use crate::key::WrapProfile;

/// What a test may expect of a backend.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // It is a table of yes and no.
pub(crate) struct Expectations {
    /// What it calls itself.
    pub(crate) kind: &'static str,
    /// How new keys are wrapped.
    pub(crate) wrap_profile: WrapProfile,
    /// How keys are released.
    pub(crate) release_profile: &'static str,
    /// Whether a wrapped key opens only as the value that it was bound to. Where it does not, the seal of Claviger's rows
    /// keeps a wrapped key in its row.
    pub(crate) binds: bool,
    /// Whether every bit of a wrapped key counts: one that was changed is refused, and never opens to the same key.
    pub(crate) every_bit_counts: bool,
    /// Whether data can be encrypted with a kept key.
    pub(crate) uses_keys: bool,
    /// Whether a root key can be brought, under an RSA pair.
    pub(crate) takes_in: bool,
    /// Whether a key is wrapped anew when it is released under an earlier version of its root key.
    pub(crate) rewraps_at_release: bool,
    /// Whether the versions of a root key go together.
    pub(crate) keeps_versions: bool,
    /// Whether a root key that was destroyed can be brought back.
    pub(crate) restores: bool,
    /// Whether a root key can be disabled in the backend itself.
    pub(crate) disables: bool,
}

/// A device: what SoftHSM can do, and no device less than that but for `aes-kw`.
pub(crate) const SOFTHSM: Expectations = Expectations {
    kind: "pkcs11",
    wrap_profile: WrapProfile::AesKw,
    release_profile: "transport",
    binds: false,
    every_bit_counts: true,
    uses_keys: true,
    takes_in: true,
    rewraps_at_release: false,
    keeps_versions: false,
    restores: false,
    disables: false,
};

/// Key Protect: a key is bound to what it is, and a root key has a life there.
pub(crate) const KEY_PROTECT: Expectations = Expectations {
    kind: "key-protect",
    wrap_profile: WrapProfile::KeyProtectAad,
    release_profile: "key-protect",
    binds: true,
    every_bit_counts: false,
    uses_keys: false,
    takes_in: false,
    rewraps_at_release: true,
    keeps_versions: true,
    restores: true,
    disables: true,
};

/// The same where additional authenticated data is refused, or not looked at.
pub(crate) const KEY_PROTECT_WITHOUT_AAD: Expectations = Expectations {
    wrap_profile: WrapProfile::KeyProtect,
    binds: false,
    ..KEY_PROTECT
};
