//! The live feeds of the custody log in the server's status.

use super::administration::Administration;
use super::api;

/// How each feed does, and what is wrong with those that stand still.
pub(super) fn shown(administration: &Administration, size: u64) -> (Vec<api::Feed>, Vec<String>) {
    let mut problems = Vec::new();
    let feeds = administration.feeds().status().into_iter();
    let shown = feeds.map(|(name, status)| {
        let behind = size.saturating_sub(status.next);
        if let Some((why, since)) = &status.trouble {
            problems.push(format!(
                "the feed {name} of the custody log stands still since {since}, {behind} records behind: {why}"
            ));
        }
        api::Feed {
            name,
            next: status.next,
            behind,
            trouble: status.trouble.map(|(why, _)| why),
        }
    });
    (shown.collect(), problems)
}
