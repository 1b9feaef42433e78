//! The managed object: what KMIP knows of a key, of secret data, of an opaque object and of a template, except the value.
//!
//! Pure: what may be asked of an object, what it answers and how it changes is decided here, for a time that
//! is given; nothing here opens a socket, a store or a device. Which Result Reason a refusal becomes is said
//! in `operation`.
//!
//! | file | what it holds |
//! |---|---|
//! | `life_cycle` | states, transitions, dates |
//! | `object` | the object, and the ends of its life |
//! | `making` | how keys, secret data, opaque objects and templates come into being |
//! | `list` | the attributes that are kept as they were given, and their indices |
//! | `read` | what Get Attributes shows |
//! | `change` | Add, Modify and Delete Attribute |
//! | `set` | Set and Adjust Attribute |
//! | `template` | how templates and a request's attributes become one list |
//! | `matching` | whether Locate means the object |
//! | `allocation` | what a client is allowed for a while |
//! | `archive` | objects that are out of reach until they are recovered |
//! | `import` | what an object that comes with all that is known of it carries |
//! | `replacement` | a key that takes the place of another |
//! | `index` | the terms that a store finds objects by |
//! | `usage` | whether the server may use a key, and what that costs |
//! | `wrapped` | a value under a root key, or as it came |

mod allocation;
mod archive;
mod change;
mod error;
mod import;
mod index;
mod life_cycle;
mod list;
mod making;
mod matching;
mod object;
mod read;
mod replacement;
mod set;
mod template;
#[cfg(test)]
pub(crate) mod testing;
mod usage;
mod wrapped;

pub use allocation::AllocationError;
pub use error::AttributeError;
pub use import::Carried;
pub use index::IndexTerm;
pub use life_cycle::{Event, LifeCycle, LifeCycleError, PlannedDate, transition};
pub use list::{AttributeList, INSTANCES_AT_MOST};
pub use making::{KeyDraft, LONGEST_OPAQUE, LONGEST_SECRET, Origin};
pub use matching::LocateFilter;
pub use object::ManagedObject;
pub use replacement::NoActivationDate;
pub use template::merge;
pub use usage::{Usage, UsageError};
pub use wrapped::{RegisteredWrapped, WrapProfile, WrappedKek};
