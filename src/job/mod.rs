//! What goes on in the background. The home of rotation, reconciliation and inventory.

mod rotation;

pub use rotation::Rotation;
