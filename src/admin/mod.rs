//! The administration interface: JSON over HTTP on a Unix socket.

pub mod api;
