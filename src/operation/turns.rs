//! Whose turn it is in an object group: the default member of a group is each of its members in turn, in the order of
//! their making (KMIP 1.4, section 4.9, leaves the choice to the server).
//!
//! The turns are this process's own and begin anew with it: what is lost when it ends is where it was, and no member is left
//! out for that.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::adapter::AdapterId;

/// How many groups are remembered.
const GROUPS_AT_MOST: usize = 10_000;

/// The members that were given last.
#[derive(Default)]
pub(super) struct Turns {
    last: Mutex<HashMap<(AdapterId, String), Uuid>>,
}

impl Turns {
    /// The member of a group whose turn it is, of these in the order of their making.
    pub(super) fn next(&self, adapter: AdapterId, group: &str, members: &[Uuid]) -> Option<Uuid> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (adapter, group.to_owned());
        // Identifiers are in the order of their making, also where the last one is gone.
        let next = match last.get(&key) {
            Some(last) => members.iter().find(|member| *member > last),
            None => None,
        };
        let next = *next.or_else(|| members.first())?;
        if last.len() >= GROUPS_AT_MOST && !last.contains_key(&key) {
            last.clear();
        }
        last.insert(key, next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_its_turn_also_when_one_goes() {
        let turns = Turns::default();
        let (here, there) = (AdapterId::new(), AdapterId::new());
        let members: Vec<_> = (1..=3).map(Uuid::from_u128).collect();
        let next = |members: &[Uuid]| turns.next(here, "disks", members);
        assert_eq!(next(&members), Some(members[0]));
        assert_eq!(next(&members), Some(members[1]));
        assert_eq!(turns.next(there, "disks", &members), Some(members[0]));
        assert_eq!(turns.next(here, "tapes", &members), Some(members[0]));
        let without = [members[0], members[2]];
        assert_eq!(next(&without), Some(members[2]));
        assert_eq!(next(&without), Some(members[0]));
        assert_eq!(next(&[]), None);
    }
}
