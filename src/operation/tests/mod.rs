//! Operations over a real store and a real recorder; only the device is a stand-in.

mod attributes;
mod backend;
mod batches;
mod isolation;
mod keys;
mod locating;
mod records;
mod server;
mod vmware;
