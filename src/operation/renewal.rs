//! A value that the backend wrapped anew on the occasion of its release, as Key Protect does after a rotation: what came is
//! kept in place of what was released, in the commit that records the use. So a key that is in use needs no job to come
//! under the present version of its root key.

use super::item::Item;
use super::services::Services;
use crate::adapter::RootKey;
use crate::root_key::{Material, Pieces, Rewrapped};
use crate::store::{KeyRow, WrappedUnder};

/// A value of an object, wrapped anew.
pub(super) struct Renewal {
    pieces: Pieces,
    from: WrappedUnder,
    to: WrappedUnder,
}

impl Item<'_> {
    /// The backend released a value of this row: takes what it wrapped anew, if it did. That it can't be taken is no fault:
    /// the job of rotations comes to the key, too. What an attempt before this one took is given up.
    pub(super) async fn renews(&mut self, row: &KeyRow, root_key: &RootKey, material: &Material) {
        self.leave_renewal().await;
        let (Some(Rewrapped { wrapped, check_value }), Some(from)) = (material.rewrapped(), &row.wrapped)
        else {
            return;
        };
        let (Some(pieces), Ok(backend)) = (
            Pieces::of(&row.object),
            self.services.root_keys.for_root(root_key),
        ) else {
            return;
        };
        let Some(specification) = pieces.only() else {
            return;
        };
        let kek = match backend.keep(root_key, specification, wrapped).await {
            Ok(kek) => kek,
            Err(error) => {
                tracing::warn!(object = %row.object.id(), %error,
                    "a key that was wrapped anew can't be kept so; it stays as it was");
                return;
            }
        };
        self.made(root_key, pieces.clone(), &kek);
        let version = version_of(self.services, from, check_value).await;
        self.renewal = Some(Renewal {
            pieces,
            from: from.clone(),
            to: WrappedUnder {
                root_key: from.root_key,
                version,
                kek,
            },
        });
    }

    /// Puts what was wrapped anew into the row, if the row still has what it was made from. Whether it has changed the row.
    pub(super) async fn renew(&mut self, row: &mut KeyRow) -> bool {
        self.event.details.remove("rewrapped");
        // Of an attempt before this one.
        self.loose.keep_replaced();
        let Some(Renewal { pieces, from, to }) = &self.renewal else {
            return false;
        };
        if row.wrapped.as_ref() != Some(from) {
            return false;
        }
        row.wrapped = Some(to.clone());
        self.event
            .details
            .insert("rewrapped".to_owned(), format!("version {}", to.version));
        self.loose.replaced(self.services, pieces.clone(), from).await;
        true
    }

    /// What was wrapped anew has not come into the row: it is given up.
    pub(super) async fn leave_renewal(&mut self) {
        if self.renewal.take().is_some() {
            self.loose.give_up_made().await;
        }
    }
}

/// The version that has this check value; the row's own where it is none that was entered yet.
async fn version_of(services: &Services, wrapped: &WrappedUnder, check_value: &[u8]) -> u32 {
    let Ok(present) = services.any_root_key(wrapped.root_key).await else {
        return wrapped.version;
    };
    if present.check_value == check_value {
        return present.version;
    }
    let earlier = services.store.earlier_versions(wrapped.root_key).await;
    let found = earlier.ok().and_then(|earlier| {
        let mut rows = earlier.rows.into_iter();
        rows.find(|version| version.check_value == check_value)
    });
    found.map_or(wrapped.version, |found| found.version)
}
