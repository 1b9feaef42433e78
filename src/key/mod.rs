//! The managed key and its life cycle. Pure: no socket, no store, no device.

mod life_cycle;

pub use life_cycle::{Event, LifeCycle, LifeCycleError, PlannedDate, transition};
