//! Operations over a real store and a real recorder; only the device is a stand-in.

mod archive;
mod attributes;
mod backend;
mod batches;
mod deriving;
mod groups;
mod hostile;
mod isolation;
mod keys;
mod locating;
mod objects;
mod re_key;
mod records;
mod releases;
mod server;
mod undo;
mod unserved;
mod usage;
mod users;
mod using;
mod using_parts;
mod version_2;
mod version_2_asynchronous;
mod version_2_logins;
mod vmware;
mod wrapped;
