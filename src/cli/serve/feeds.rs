//! The live feeds of the custody log, as the configuration has them.

use crate::config::{Feed, FeedReceiver};
use crate::job::feed::{FeedConfig, Receiver, SyslogConfig};

/// The feeds in the terms of what delivers them.
pub(super) fn feeds(configured: &[Feed]) -> Vec<FeedConfig> {
    configured.iter().map(feed).collect()
}

fn feed(feed: &Feed) -> FeedConfig {
    let receiver = match &feed.receiver {
        FeedReceiver::File(path) => Receiver::File(path.clone()),
        FeedReceiver::Syslog(receiver) => Receiver::Syslog(SyslogConfig {
            address: receiver.address.clone(),
            server_name: receiver.server_name.clone(),
            ca_file: receiver.ca_file.clone(),
            identity: receiver.identity.clone(),
            deadline: SyslogConfig::USUAL_DEADLINE,
            session: SyslogConfig::USUAL_SESSION,
        }),
    };
    FeedConfig {
        name: feed.name.clone(),
        receiver,
    }
}
