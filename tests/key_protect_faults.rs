//! Key Protect is slow, busy, broken, and has its keys taken away, while clients are served: no wrong key, no lost key, no
//! secret in a log, and no hand is needed.
//!
//! Each test prints what was asked and what came of it: `cargo nextest run --test key_protect_faults --no-capture`.

mod support;

use claviger_key_protect_stand_in::{Call, Control, Fault, FaultKind, Form, KeyEvent, When};
use support::client::Client;
use support::key_protect::KeyProtect;
use support::ledger::{GENERAL_FAILURE, Ledger, PERMISSION_DENIED, until};
use support::secrets::none_in;
use support::server::{HEALTHY, Server, UNHEALTHY};

/// The alias of the root key in Key Protect.
const ROOT_KEY: &str = "claviger-root-v1";
/// How often a fault comes before a test goes on.
const ENOUGH: u64 = 40;

/// A server on Key Protect, its client, and what that one was told.
struct Site {
    server: Server,
    client: Client,
    ledger: Ledger,
}

impl Site {
    fn start() -> Self {
        Self::start_with("")
    }

    /// With these lines in `[[key_protect]]`.
    fn start_with(lines: &str) -> Self {
        let server = Server::start_on_key_protect(KeyProtect::start(Form::KeyProtect), lines, "");
        let client = server.client("load");
        let ledger = Ledger::default();
        Self {
            server,
            client,
            ledger,
        }
    }

    fn control(&self) -> &Control {
        self.server.key_protect().control()
    }

    /// Tokens that IAM gave, or was asked for.
    fn tokens(&self) -> u64 {
        self.control().counters().of(Call::Token)
    }

    /// Clients are served, `disturb` happens to the service, it is over, and they are served again.
    fn outlive<T>(&self, disturb: impl FnOnce() -> T) -> T {
        self.ledger.load(&self.client, || {
            self.ledger.wait_for_answers(ENOUGH);
            let told = disturb();
            self.server.wait_for_status(HEALTHY);
            self.ledger.wait_for_answers(ENOUGH);
            told
        })
    }

    /// The fault comes, often enough, and then no more.
    fn outlive_fault(&self, calls: &[Call], kind: FaultKind, when: When) {
        self.outlive(|| {
            self.control().fail(Fault {
                calls: calls.to_vec(),
                kind,
                when,
            });
            let enough = match when {
                When::Next(number) => number,
                When::Always | When::Every(_) => ENOUGH,
            };
            let came = || self.control().faults().iter().all(|fault| fault.came >= enough);
            until("the fault does not come", came);
            self.control().clear_faults();
        });
    }

    /// Nothing is wrong or lost, whoever was refused was refused for one of these reasons, and nothing secret was said.
    fn is_whole(&self, what: &str, reasons: &[u32]) {
        let settled = self.ledger.settle(&self.server, &self.client);
        settled.must_be_whole(&format!("{what} ({} tokens)", self.tokens()));
        for (reason, message) in self.ledger.refusals() {
            assert!(reasons.contains(&reason), "{reason:#x} {message}");
        }
        self.nothing_secret_is_said();
    }

    fn nothing_secret_is_said(&self) {
        let api_key = self.server.key_protect().api_key();
        let mut secrets = self.ledger.materials();
        secrets.push(api_key.trim().as_bytes().to_vec());
        none_in("the log", &self.server.log.text(), &secrets);
        for record in self.server.custody_records() {
            none_in("the custody log", &record.to_string(), &secrets);
        }
    }
}

#[test]
fn one_token_serves_an_hour_however_much_is_asked() {
    let site = Site::start();
    site.outlive(|| site.ledger.wait_for_answers(400));
    assert_eq!(site.tokens(), 1);
    site.outlive(|| {
        site.control().set_clock_ahead(3601);
        site.ledger.wait_for_answers(100);
    });
    assert_eq!(site.tokens(), 2);
    site.is_whole("an hour and a second", &[]);
}

#[test]
fn a_service_that_has_too_much_to_do_is_asked_again_when_it_says() {
    let site = Site::start();
    let kind = FaultKind::Status {
        status: 429,
        retry_after: Some(1),
    };
    site.outlive_fault(&[Call::Wrap, Call::Unwrap], kind, When::Every(4));
    site.is_whole("429 with Retry-After", &[GENERAL_FAILURE]);
    assert_eq!(site.tokens(), 1);
}

#[test]
fn a_service_that_fails_now_and_then_costs_no_key() {
    for status in [500, 503] {
        let site = Site::start();
        let kind = FaultKind::Status {
            status,
            retry_after: None,
        };
        site.outlive_fault(&[], kind, When::Every(3));
        site.is_whole(&status.to_string(), &[GENERAL_FAILURE]);
        assert_eq!(site.tokens(), 1);
    }
}

#[test]
fn a_service_that_fails_altogether_is_said_to_be_away_and_used_again_when_it_is_back() {
    let site = Site::start();
    site.outlive(|| {
        site.control().fail(Fault {
            calls: Vec::new(),
            kind: FaultKind::Status {
                status: 503,
                retry_after: None,
            },
            when: When::Always,
        });
        site.server.wait_for_status(UNHEALTHY);
        until("nobody is refused", || {
            site.ledger.refused_for(GENERAL_FAILURE) >= ENOUGH
        });
        site.control().clear_faults();
    });
    site.is_whole("503 for all", &[GENERAL_FAILURE]);
    assert_eq!(site.tokens(), 1);
}

#[test]
fn a_connection_that_is_cut_before_or_after_the_work_costs_no_key() {
    for (what, kind) in [
        ("cut before", FaultKind::CutBefore),
        ("cut after", FaultKind::CutAfter),
    ] {
        let site = Site::start();
        site.outlive_fault(&[], kind, When::Every(3));
        site.is_whole(what, &[GENERAL_FAILURE]);
        assert_eq!(site.tokens(), 1);
    }
}

#[test]
fn a_slow_answer_is_waited_for_and_one_behind_the_deadline_is_not() {
    let site = Site::start();
    let kind = FaultKind::Delay { milliseconds: 300 };
    site.outlive_fault(&[Call::Wrap, Call::Unwrap], kind, When::Every(2));
    site.is_whole("300 ms slower, every second", &[]);

    let site = Site::start_with("deadline = \"1s\"");
    let kind = FaultKind::Delay { milliseconds: 5000 };
    site.outlive_fault(&[Call::Wrap, Call::Unwrap], kind, When::Next(8));
    site.is_whole("eight answers of 5 s, with a deadline of 1 s", &[GENERAL_FAILURE]);
}

#[test]
fn garbage_for_an_answer_is_no_key() {
    let site = Site::start();
    site.outlive_fault(&[Call::Wrap, Call::Unwrap], FaultKind::Garbage, When::Every(3));
    site.is_whole("garbage", &[GENERAL_FAILURE]);
}

#[test]
fn a_token_that_is_good_no_longer_is_replaced_once_for_all_who_wait() {
    let site = Site::start();
    let calls = [Call::Wrap, Call::Unwrap];
    let control = site.control();
    let expired = site.outlive(|| {
        control.fail(Fault {
            calls: calls.to_vec(),
            kind: FaultKind::ExpireTokens,
            when: When::Every(40),
        });
        let expired = || control.faults()[0].came;
        until("no token expires", || expired() >= 10);
        let expired = expired();
        control.clear_faults();
        expired
    });
    let refused = control.counters().statuses[&401];
    site.is_whole(&format!("{expired} expirations, {refused} times 401"), &[]);
    assert!(site.tokens() <= 1 + expired + 1, "each was replaced once");
}

#[test]
fn iam_that_fails_is_asked_again_and_costs_no_key() {
    for (what, kind) in [
        (
            "IAM: 500",
            FaultKind::Status {
                status: 500,
                retry_after: None,
            },
        ),
        ("IAM: garbage", FaultKind::Garbage),
        ("IAM: cut", FaultKind::CutAfter),
    ] {
        let site = Site::start();
        site.outlive(|| {
            site.control().fail(Fault {
                calls: vec![Call::Token],
                kind,
                when: When::Next(3),
            });
            site.control().invalidate_tokens().expect("it runs");
            until("IAM is not asked", || site.control().faults()[0].came == 3);
            site.control().clear_faults();
        });
        site.is_whole(what, &[GENERAL_FAILURE]);
    }
}

#[test]
fn a_root_key_that_somebody_else_rotates_goes_on_serving_every_key() {
    let site = Site::start();
    site.outlive(|| {
        for _ in 0..3 {
            let rotated = site.control().key_event(ROOT_KEY, KeyEvent::Rotate);
            rotated.expect("it is there");
            site.ledger.wait_for_answers(ENOUGH);
        }
    });
    site.is_whole("rotated three times by somebody else", &[]);
}

/// Takes the root key away, waits until the server says so and clients are told, and gives it back.
fn taken_away_and_given_back(away: KeyEvent, back: KeyEvent, words: &str) {
    let site = Site::start();
    site.outlive(|| {
        let control = site.control();
        control.key_event(ROOT_KEY, away).expect("it is there");
        let status = site.server.wait_for_status(UNHEALTHY);
        let problem = status["problems"].to_string();
        assert!(problem.contains(words), "the operator reads why: {problem}");
        until("nobody is refused", || {
            site.ledger.refused_for(PERMISSION_DENIED) >= ENOUGH
        });
        control.key_event(ROOT_KEY, back).expect("it is there");
    });
    for (reason, message) in site.ledger.refusals() {
        assert!(
            reason != PERMISSION_DENIED || message.contains(words),
            "the client reads why: {message}"
        );
    }
    let reasons = [GENERAL_FAILURE, PERMISSION_DENIED];
    site.is_whole(&format!("{away:?} and {back:?} by somebody else"), &reasons);
}

#[test]
fn a_root_key_that_somebody_else_disables_is_said_to_be_and_serves_when_it_is_enabled() {
    taken_away_and_given_back(KeyEvent::Disable, KeyEvent::Enable, "disabled");
}

#[test]
fn a_root_key_that_somebody_else_deletes_is_said_to_be_and_serves_when_it_is_restored() {
    taken_away_and_given_back(KeyEvent::Delete, KeyEvent::Restore, "deleted");
}

#[test]
fn a_root_key_that_is_purged_opens_nothing_and_is_never_made_again() {
    let site = Site::start();
    site.ledger
        .load(&site.client, || site.ledger.wait_for_answers(ENOUGH));
    let purged = site.control().key_event(ROOT_KEY, KeyEvent::Purge);
    purged.expect("it is there");
    site.server.wait_for_status(UNHEALTHY);
    let before = (
        site.ledger.answered(),
        site.control().counters().of(Call::CreateKey),
    );
    site.ledger.load(&site.client, || {
        let refused = || site.ledger.refusals().len();
        until("nobody is refused", || refused() > 0);
    });
    let after = (
        site.ledger.answered(),
        site.control().counters().of(Call::CreateKey),
    );
    assert_eq!(after, before, "no answer, and no new key");
    site.server.verify_custody_log();
    site.nothing_secret_is_said();
}

#[test]
fn nothing_secret_is_said_however_much_is() {
    let key_protect = KeyProtect::start(Form::KeyProtect);
    let server = Server::start_on_key_protect(key_protect, "", "[log]\nlevel = \"trace\"\n");
    let client = server.client("load");
    let site = Site {
        server,
        client,
        ledger: Ledger::default(),
    };
    site.ledger
        .load(&site.client, || site.ledger.wait_for_answers(ENOUGH));
    site.control().invalidate_tokens().expect("it runs");
    let status = FaultKind::Status {
        status: 500,
        retry_after: None,
    };
    for kind in [FaultKind::Garbage, FaultKind::CutAfter, status] {
        site.control().fail(Fault {
            calls: Vec::new(),
            kind,
            when: When::Next(2),
        });
        site.ledger
            .load(&site.client, || site.ledger.wait_for_answers(ENOUGH));
    }
    site.is_whole("everything that can be said", &[GENERAL_FAILURE]);
}
