//! How fast the device is, with one session: a fifth of a second for each operation. Numbers for the operator, never a
//! failure; what the server does in a second is more, with its workers and sessions.

use std::time::Duration;

use super::examination::Patient;
use super::profiles::Profiles;
use super::report::Section;
use crate::device::{self, Rate, Sample};

const EACH: Duration = Duration::from_millis(200);

pub(super) fn check(patient: &Patient<'_>, profiles: &Profiles, section: &mut Section<'_>) {
    const MADE: &str = "generate and wrap";
    let transport = profiles.transport.as_ref();
    match device::sample(&patient.session, profiles.manner, transport, EACH) {
        Ok(Sample {
            generate_and_wrap,
            unwrap_and_rewrap,
        }) => {
            section.ok(MADE, told(generate_and_wrap));
            if let Some(rate) = unwrap_and_rewrap {
                section.ok("unwrap and re-wrap", told(rate));
            }
        }
        Err(error) => section.ok(MADE, format!("not measured: {error}")),
    }
}

fn told(rate: Rate) -> String {
    #[allow(clippy::cast_precision_loss)] // Times of this length are far below 2^52 microseconds.
    let milliseconds = rate.p50_microseconds as f64 / 1000.0;
    format!(
        "{:.0} a second with one session; the median took {milliseconds:.2} ms",
        rate.per_second
    )
}
