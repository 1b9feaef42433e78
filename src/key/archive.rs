//! Archive and Recover (KMIP 1.4, sections 3.32, 4.22 and 4.23).
//!
//! Archiving moves nothing: an archived object stays in the store, its value wrapped by the device as before and re-wrapped
//! with the others when a root key is rotated. What changes is that the object does nothing and gives nothing but its
//! attributes until it is recovered, and that Locate passes it over unless it is asked to look in the archive.

use super::object::ManagedObject;
use crate::kmip::ttlv::DateTime;

impl ManagedObject {
    /// Whether the object is archived.
    pub const fn is_archived(&self) -> bool {
        self.archived.is_some()
    }

    /// Archives the object. Returns whether that changed it: it may be archived already.
    pub fn archive(&mut self, now: DateTime) -> bool {
        if self.is_archived() {
            return false;
        }
        self.archived = Some(now.max(self.initial));
        self.touch(now);
        true
    }

    /// Makes the object usable again. Returns whether that changed it: it may be at hand already.
    pub fn recover(&mut self, now: DateTime) -> bool {
        if self.archived.take().is_none() {
            return false;
        }
        self.touch(now);
        true
    }
}
