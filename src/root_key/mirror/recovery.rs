//! Taking back what was lost.

use std::sync::Arc;
use std::time::Duration;

use super::members::{Away, Member, Members};

const SHORTEST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Tries each root key on each member that is away for it, until none is; then waits for the next loss.
pub(super) async fn run(members: Arc<Members>) {
    loop {
        members.lost.notified().await;
        let mut rest = SHORTEST_REST;
        while members.iter().any(|member| !member.all_away().is_empty()) {
            tokio::time::sleep(rest).await;
            rest = (rest * 2).min(LONGEST_REST);
            let tries = members.iter().map(|member| try_member(&members, member));
            futures_util::future::join_all(tries).await;
        }
    }
}

async fn try_member(members: &Members, member: &Member) {
    for Away { root_key, .. } in member.all_away() {
        // Found with its check value, and then used: a device may find what it can't use.
        let tried = async {
            member.backend().verify(&root_key).await?;
            member.backend().check(&root_key).await
        };
        match tried.await {
            Ok(()) => members.take_back(member, &root_key),
            Err(error) => member.still_away(&root_key, error),
        }
    }
}
