//! What goes on in the background. The home of readiness, rotation, reconciliation and inventory.

mod readiness;
mod rotation;

pub use readiness::Readiness;
pub use rotation::Rotation;
