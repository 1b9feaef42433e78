//! What a KMIP operation does: a file an operation.
//!
//! [`answer`] takes the bytes of one request and writes the bytes of its response. It never fails and never panics:
//! whatever comes, one response goes out.
//!
//! # What is the same for every operation
//! - A client reaches the objects of its own adapter. What belongs to another one is answered exactly as what does not
//!   exist.
//! - What changes, reads or releases an object is recorded before it is answered, with the change in the same commit;
//!   so is every refusal. Discover Versions, Query and Ping touch no object and are recorded only where they are refused.
//! - Result Reasons and their wording are chosen in `refusal`.
//!
//! # Choices that the specification leaves open
//! - A message of a major version that is neither 1 nor 2 is answered in 1.0, which any client can read; one of a later
//!   minor version is worked on as the last that is known, and answered in that (section 11.1).
//! - A batch with the option Undo is staged and committed as a whole (section 6.13). Batches run in their order, whether
//!   or not that is asked for.
//! - The ID Placeholder can be used as long as the batch stops at errors (section 4).
//! - Clients are known by their certificates. Where their adapter has users, a user name and password in the header are
//!   verified as well, and may be required (`authentication`); where it has none they are not looked at, so that a client
//!   that is set up with a user name works. The record tells that credentials came, of which type, and of whom.
//! - A message with a ticket that is not good, or not this client's, is refused whole.
//! - What a client says that it can wait for is put off where it insists, or where it may take long (`asynchronous`).
//! - An archived object gives its attributes to who asks for them, and nothing else until it is recovered; archiving moves
//!   no value (section 4.22).
//! - A lease has no end and is given for keys that are Pre-Active or Active (section 4.17).
//! - A destroyed key keeps its attributes, which can be read; Get and Locate no longer find it. A destroyed template is
//!   gone.
//!
//! | file | what it holds |
//! |---|---|
//! | `batch` | a message: its header, its items in turn, the size of the answer |
//! | `dispatch` | which file an operation is in |
//! | `item` | one item while it is worked on, and its record |
//! | `user` | users of one client, told apart |
//! | `authentication`, `passwords` | users that an adapter knows by their passwords |
//! | `undo` | a batch that is carried out as a whole |
//! | `earlier` | what the items before it made or found |
//! | `refusal` | why a request is not carried out |
//! | `services`, `clock`, `names` | what operations work with |
//! | `make`, `taking`, `change_attribute`, `use_of_key` | what several operations have in common |
//! | `cipher_method`, `cipher_parts`, `streams` | how data is encrypted, at once and in parts |
//! | `encrypt`, `mac`, `random` | Encrypt and Decrypt, MAC and MAC Verify, RNG Retrieve and RNG Seed |
//! | `asynchronous`, `poll` | requests whose answers are fetched later: which there are, and Poll, Cancel, Process and Query Asynchronous Requests |
//! | `key_wrapping`, `key_unwrapping` | values under keys of the client's |
//! | `profiles` | the profiles that Query tells |
//! | `login`, `tickets` | Login and Logout, and the tickets that are good |
//! | `throttle` | how many requests of an adapter are served in a second |
//! | `turns` | whose turn it is in an object group |
//! | `notice` | Log and Interop |
//! | `shaping` | defaults and constraints: Set Defaults, Set and Get Constraints, and what they do to new objects |
//! | the others | an operation each |

mod activate;
mod add_attribute;
mod adjust_attribute;
mod archive;
mod asynchronous;
mod at_hand;
mod authentication;
mod batch;
mod change_attribute;
mod check;
mod cipher_method;
mod cipher_parts;
mod clock;
mod create;
mod delete_attribute;
mod derive_key;
mod destroy;
mod discover_versions;
mod dispatch;
mod earlier;
mod encrypt;
mod export;
mod get;
mod get_attribute_list;
mod get_attributes;
mod get_usage_allocation;
mod hash;
mod import;
mod item;
mod key_unwrapping;
mod key_wrapping;
mod locate;
mod login;
mod loose;
mod mac;
mod make;
mod measure;
mod modify_attribute;
mod names;
mod notice;
mod obtain_lease;
mod passwords;
mod poll;
mod profiles;
mod query;
mod random;
mod re_key;
mod recover;
mod refusal;
mod register;
mod renewal;
mod revoke;
mod services;
mod set_attribute;
mod shaping;
mod streams;
mod taking;
mod throttle;
mod tickets;
mod turns;
mod undo;
mod use_of_key;
mod user;

#[cfg(test)]
mod tests;

pub use batch::{Disposition, answer, refuse_unreadable};
pub use clock::Clock;
pub use passwords::hash_password;
pub use services::{Limits, RandomSeed, Services};
