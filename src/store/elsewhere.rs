//! What others do in a store that several servers share.

/// What was done in a store by all servers that share it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// How often it was changed who may come in, and to what.
    pub identities: u64,
    /// How many records the custody log has.
    pub size: u64,
    /// How often the store was out of reach, so that nobody knows what was done meanwhile.
    pub outages: u64,
}
