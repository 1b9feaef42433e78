//! The hours in which a release is nothing unusual.

use std::fmt;
use std::str::FromStr;

use time::macros::{format_description, time};
use time::{OffsetDateTime, Time, UtcOffset, Weekday};

/// From when until when, on which days, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkingHours {
    /// The first moment.
    pub from: Time,
    /// The moment after the last; before `from` where they go over midnight.
    pub until: Time,
    /// How far local time is ahead of UTC.
    pub zone: UtcOffset,
    /// Whether Saturday and Sunday are days as all others.
    pub weekends: bool,
}

/// Text that names no hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected hours as 06:00-20:00, not {0:?}")]
pub struct WrongHours(String);

impl Default for WorkingHours {
    fn default() -> Self {
        Self {
            from: time!(06:00),
            until: time!(20:00),
            zone: UtcOffset::UTC,
            weekends: false,
        }
    }
}

impl WorkingHours {
    /// The name of the zone, as `UTC+01:00`.
    pub fn zone_name(&self) -> String {
        if self.zone.is_utc() {
            return "UTC".to_owned();
        }
        let (hours, minutes, _) = self.zone.as_hms();
        format!("UTC{hours:+03}:{:02}", minutes.abs())
    }

    /// Whether a time is outside of them.
    pub fn are_over(&self, time: OffsetDateTime) -> bool {
        let here = time.to_offset(self.zone);
        let weekend = matches!(here.weekday(), Weekday::Saturday | Weekday::Sunday);
        let time = here.time();
        let within = if self.from < self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        };
        !within || (weekend && !self.weekends)
    }
}

/// As a sentence has it: `06:00 to 20:00 (UTC), Monday to Friday`.
impl fmt::Display for WorkingHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = format_description!("[hour]:[minute]");
        let shown = |time: Time| time.format(&short).map_err(|_| fmt::Error);
        let zone = self.zone_name();
        let days = if self.weekends {
            "every day"
        } else {
            "Monday to Friday"
        };
        write!(
            f,
            "{} to {} ({zone}), {days}",
            shown(self.from)?,
            shown(self.until)?
        )
    }
}

/// From when until when, of weekdays in UTC.
impl FromStr for WorkingHours {
    type Err = WrongHours;

    fn from_str(text: &str) -> Result<Self, WrongHours> {
        let short = format_description!("[hour]:[minute]");
        let read = || {
            let (from, until) = text.split_once('-')?;
            let [from, until] = [from, until].map(|part| Time::parse(part.trim(), &short).ok());
            Some((from?, until?))
        };
        let (from, until) = read().ok_or_else(|| WrongHours(text.to_owned()))?;
        Ok(Self {
            from,
            until,
            ..Self::default()
        })
    }
}
