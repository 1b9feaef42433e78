//! What is set for an adapter and all of its objects.

use crate::adapter::AdapterId;

/// What can be set for all objects of an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettingKind {
    /// What new objects must have.
    Constraints,
    /// What new objects get where their makers leave it out.
    Defaults,
    /// The users whose passwords its clients show.
    Credentials,
    /// The authorities whose certificates it lets in.
    Trust,
}

impl SettingKind {
    pub(super) const ALL: [Self; 4] = [Self::Constraints, Self::Defaults, Self::Credentials, Self::Trust];

    /// The name in the database.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Constraints => "constraints",
            Self::Defaults => "defaults",
            Self::Credentials => "credentials",
            Self::Trust => "trust",
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
    /// The authorities whose certificates it lets in.
    pub trust: Option<Vec<u8>>,
}

impl Settings {
    /// The document of a kind.
    pub fn document(&self, kind: SettingKind) -> Option<&[u8]> {
        let document = match kind {
            SettingKind::Constraints => &self.constraints,
            SettingKind::Defaults => &self.defaults,
            SettingKind::Credentials => &self.credentials,
            SettingKind::Trust => &self.trust,
        };
        document.as_deref()
    }
}

/// A setting, as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The adapter.
    pub adapter: AdapterId,
    /// What is set.
    pub kind: SettingKind,
    /// In the form of who set it.
    pub document: Vec<u8>,
}

impl FromIterator<Setting> for Settings {
    fn from_iter<I: IntoIterator<Item = Setting>>(settings: I) -> Self {
        let mut all = Self::default();
        for Setting { kind, document, .. } in settings {
            match kind {
                SettingKind::Constraints => all.constraints = Some(document),
                SettingKind::Defaults => all.defaults = Some(document),
                SettingKind::Credentials => all.credentials = Some(document),
                SettingKind::Trust => all.trust = Some(document),
            }
        }
        all
    }
}
