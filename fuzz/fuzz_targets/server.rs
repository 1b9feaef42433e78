//! Whole requests, in any of the three encodings, to a server that keeps what it made: whatever comes, one response goes
//! out, which a client can read, in the encoding of the request.
#![no_main]

use std::cell::RefCell;

use claviger::kmip::message::ResponseMessage;
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::ttlv::Limits;
use claviger::kmip::{json, xml};
use claviger::operation;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

#[path = "../src/stand_in.rs"]
mod stand_in;

use stand_in::Server;

/// How many requests one server gets. Then comes the next, with an empty store, so that what a request costs does not
/// grow.
const REQUESTS: u32 = 5_000;

/// The server and how many requests it has had.
struct Running {
    runtime: Runtime,
    server: Server,
    requests: u32,
}

impl Running {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime starts");
        let server = runtime.block_on(Server::start());
        Self {
            runtime,
            server,
            requests: 0,
        }
    }
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// What the server answers, in the binary form.
async fn answered(server: &Server, bytes: &[u8]) -> ZeroizingOutput {
    let (services, caller) = (&server.services, &server.caller);
    let mut out = ZeroizingOutput::new();
    let mut request = ZeroizingOutput::new();
    let read = match bytes.first() {
        Some(b'<') => xml::read(bytes, &Limits::default(), &mut request),
        Some(b'{') => json::read(bytes, &Limits::default(), &mut request),
        _ => {
            let _ = operation::answer(services, caller, bytes, &mut out).await;
            return out;
        }
    };
    match read {
        Ok(()) => {
            let _ = operation::answer(services, caller, request.as_slice(), &mut out).await;
        }
        Err(error) => {
            operation::refuse_unreadable(services, caller, request.as_slice(), &error, &mut out).await;
        }
    }
    out
}

fuzz_target!(|bytes: &[u8]| {
    RUNNING.with_borrow_mut(|running| {
        if running
            .as_ref()
            .is_some_and(|running| running.requests == REQUESTS)
        {
            *running = None;
        }
        let running = running.get_or_insert_with(Running::start);
        running.requests += 1;
        let out = running.runtime.block_on(answered(&running.server, bytes));
        let response = ResponseMessage::decode(out.as_slice(), &Limits::default())
            .expect("a client can read every answer");
        assert!(!response.items.is_empty());
        let mut text = ZeroizingOutput::new();
        match bytes.first() {
            Some(b'{') => json::write(out.as_slice(), &mut text).expect("JSON can say every message"),
            // A text that was set in another encoding may have what XML cannot say.
            Some(b'<') => drop(xml::write(out.as_slice(), &mut text)),
            _ => {}
        }
    });
});
