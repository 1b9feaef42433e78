//! The managed key and its life cycle. Pure: no socket, no store, no device.
