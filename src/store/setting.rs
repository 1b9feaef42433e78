//! What is set for all objects of an adapter.

/// What can be set for all objects of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettingKind {
    /// What new objects must have.
    Constraints,
    /// What new objects get where their makers leave it out.
    Defaults,
    /// The users whose passwords its clients show.
    Credentials,
}

impl SettingKind {
    pub(super) const ALL: [Self; 3] = [Self::Constraints, Self::Defaults, Self::Credentials];

    /// The name in the database.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Constraints => "constraints",
            Self::Defaults => "defaults",
            Self::Credentials => "credentials",
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
    /// The users whose passwords its clients show.
    pub credentials: Option<Vec<u8>>,
}

impl Settings {
    /// The document of a kind.
    pub fn document(&self, kind: SettingKind) -> Option<&[u8]> {
        let document = match kind {
            SettingKind::Constraints => &self.constraints,
            SettingKind::Defaults => &self.defaults,
            SettingKind::Credentials => &self.credentials,
        };
        document.as_deref()
    }
}

impl FromIterator<(SettingKind, Vec<u8>)> for Settings {
    fn from_iter<I: IntoIterator<Item = (SettingKind, Vec<u8>)>>(settings: I) -> Self {
        let mut all = Self::default();
        for (kind, document) in settings {
            match kind {
                SettingKind::Constraints => all.constraints = Some(document),
                SettingKind::Defaults => all.defaults = Some(document),
                SettingKind::Credentials => all.credentials = Some(document),
            }
        }
        all
    }
}
