//! A server that stands in for IBM Key Protect, or Hyper Protect Crypto Services, and for IAM, in tests and for trying
//! things out. It is no part of the product.
//!
//! It speaks the REST interface, version 2, over TLS with a certificate authority of its own. Its root keys are keys of a
//! SoftHSMv2 token, driven through `claviger-hsm` as a real HSM would be: what it wraps, it wraps there. What a client was
//! answered is on the disk: a stand-in that ends in whatever way and is started again on its directory has lost nothing.
//! The `keyprotect` of the Python package index, IBM's own client, is the judge of it:
//! `tests/key_protect_client.rs` of the workspace.
//!
//! # In a test
//!
//! ```no_run
//! use claviger_key_protect_stand_in::{Options, StandIn};
//! # let worker = claviger_hsm::WorkerCommand::this_program().unwrap();
//! # let directory = std::path::Path::new("");
//! // `worker`: a program that hosts the device, such as `claviger device-worker`.
//! let mut stand_in = StandIn::start(Options::new(directory, worker)).unwrap();
//! println!("{}", stand_in.facts().url); // where it is, whom to trust, what key to show
//! stand_in.stop(); // the socket and every connection are closed
//! stand_in.start_again().unwrap(); // on the same port, with the same state
//! ```
//!
//! The server runs in a thread of its own with a runtime of its own, so a test may block as it likes. It stops when it is
//! dropped. As a process of its own it is this crate's program, which prints its [`Facts`] as one line of JSON when it
//! serves.
//!
//! # The map
//!
//! | module | what belongs there |
//! |---|---|
//! | `stand_in` | starting and stopping |
//! | `server`, `exchange` | sockets, TLS, HTTP; what is done around each call |
//! | `control`, [`control_interface`] | faults, delay, counters, what others do to a key: in this process, and over HTTP |
//! | `call`, `calls` | the interface: which call it is; what each does |
//! | `iam` | API keys and tokens |
//! | `model`, `store` | what there is, in memory and in the journal on the disk |
//! | `vault`, `ciphertext`, `seal` | keys on the token, and what a client gets as ciphertext |

mod call;
mod calls;
mod certificates;
mod ciphertext;
mod control;
pub mod control_interface;
mod counters;
mod error;
mod exchange;
mod faults;
mod files;
mod iam;
mod model;
mod options;
mod refusal;
mod seal;
mod server;
mod service;
mod stand_in;
mod store;
mod token;
mod vault;

pub use call::Call;
pub use control::{Control, ControlError, NewRegistration};
pub use counters::Counters;
pub use error::Error;
pub use faults::{Fault, FaultCount, FaultKind, KeyEvent, When};
pub use options::{Aad, Form, Options, Waits};
pub use stand_in::{Facts, StandIn};

/// The region that the instance is in.
const REGION: &str = "eu-de";
/// The account that it belongs to.
const ACCOUNT: &str = "5f3a2c6e9d1b4870a6c4e2f80b9d7135";
/// The key ring that is always there.
const DEFAULT_KEY_RING: &str = "default";
/// No list has more at once.
const MOST_OF_A_LIST: usize = 5000;

/// Random bytes of OpenSSL's generator.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    openssl::rand::rand_bytes(&mut bytes).expect("the operating system has randomness");
    bytes
}
