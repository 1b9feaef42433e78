//! What is out of the ordinary.

use super::Moment;

/// What is unusual about it; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The log was shorter than it had been, or another, and went on in a new epoch.
    Epoch,
    /// A row of the database was changed by another hand.
    Tampering,
    /// A key was released to a client that had neither made it nor been given it before.
    NewHolder,
    /// A key was released by its value being read.
    ReadProfile,
    /// A key was released outside of working hours.
    OddHour,
    /// Something was refused.
    Refusal,
    /// Something was allowed and did not work.
    Failure,
    /// The log was silent for longer than its heartbeats allow.
    Silence,
    /// A server started that had not stopped in good order.
    Disorder,
    /// The clock was set back.
    Clock,
}

impl Kind {
    /// As a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Epoch => "The log was taken back and went on",
            Self::Tampering => "The database was changed by another hand",
            Self::NewHolder => "Released to a client that never had the key",
            Self::ReadProfile => "Released by reading its value",
            Self::OddHour => "Released outside of working hours",
            Self::Refusal => "Refused",
            Self::Failure => "Failed",
            Self::Silence => "Gap in the heartbeats",
            Self::Disorder => "Started without a stop before",
            Self::Clock => "The clock was set back",
        }
    }

    /// What it means, and what to ask.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Epoch => {
                "What was recorded after the last checkpoint before it may be lost. Ask for the reason, and compare with what \
                 witnesses and live feeds have."
            }
            Self::Tampering => "Somebody wrote to the database beside the server. Ask who can.",
            Self::NewHolder => {
                "The client had neither made the key nor been given it before. Ask whether it belongs to the same system."
            }
            Self::ReadProfile => {
                "The key's value was in the clear in the device's own process. Ask whether the device can do no better."
            }
            Self::OddHour => "Ask for the work that was planned at that time.",
            Self::Refusal => "Nothing was done. Ask why it was tried.",
            Self::Failure => {
                "It was allowed, and did not work. Ask whether the device or its network was in order."
            }
            Self::Silence => {
                "No server wrote a record although one should have. Ask whether all of them were down; a log that was cut looks \
                 the same."
            }
            Self::Disorder => {
                "The server before it ended without saying so, as at a crash or a loss of power."
            }
            Self::Clock => "While it caught up, the times of records stood still.",
        }
    }
}

/// Something out of the ordinary, with everything of the same day that is alike.
#[derive(Clone, Debug)]
pub struct Anomaly {
    /// What is unusual.
    pub kind: Kind,
    /// What happened, in words.
    pub sentence: String,
    /// From where.
    pub origin: Option<String>,
    /// The first time on that day.
    pub first: Moment,
    /// The last time on that day.
    pub last: Moment,
    /// How often.
    pub count: u64,
}
