//! What is set for all objects of an adapter.

/// What can be set for all objects of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettingKind {
    /// What new objects must have.
    Constraints,
    /// What new objects get where their makers leave it out.
    Defaults,
}

impl SettingKind {
    pub(super) const ALL: [Self; 2] = [Self::Constraints, Self::Defaults];

    /// The name in the database.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Constraints => "constraints",
            Self::Defaults => "defaults",
        }
    }
}

/// What is set for all objects of an adapter: documents in the form that whoever set them gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What new objects must have.
    pub constraints: Option<Vec<u8>>,
    /// What new objects get where their makers leave it out.
    pub defaults: Option<Vec<u8>>,
}

impl FromIterator<(SettingKind, Vec<u8>)> for Settings {
    fn from_iter<I: IntoIterator<Item = (SettingKind, Vec<u8>)>>(settings: I) -> Self {
        let mut all = Self::default();
        for (kind, document) in settings {
            match kind {
                SettingKind::Constraints => all.constraints = Some(document),
                SettingKind::Defaults => all.defaults = Some(document),
            }
        }
        all
    }
}
