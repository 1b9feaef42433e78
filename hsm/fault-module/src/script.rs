//! The script: what is to become of which call.

use std::ops::RangeInclusive;
use std::time::Duration;

use cryptoki_sys as ck;

use crate::module::FUNCTIONS;

/// What stands for all functions together.
const ANY: &str = "any";
/// What a line begins with that names the only mechanisms that there are.
const MECHANISMS: &str = "mechanisms";

/// A script that can be read.
#[derive(Clone, Debug, Default)]
pub struct Script {
    text: String,
    rules: Vec<Rule>,
    /// The only mechanisms that there are; all that the module behind has, where none is named.
    mechanisms: Vec<ck::CK_MECHANISM_TYPE>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// See [`number_of`].
    function: usize,
    which: Which,
    what: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    Range(RangeInclusive<u64>),
    Each(u64),
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Action {
    /// Whether the real call is made first.
    pub(crate) done: bool,
    pub(crate) end: End,
}

/// What comes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The real call, later.
    Later(Duration),
    /// This value.
    Value(ck::CK_RV),
    Hang,
    Crash,
}

impl Script {
    /// Reads a script in the form that the crate's documentation has; fails with what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut script = Self {
            text: text.to_owned(),
            ..Self::default()
        };
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            script
                .take(line)
                .ok_or_else(|| format!("this is no rule: {line}"))?;
        }
        Ok(script)
    }

    fn take(&mut self, line: &str) -> Option<()> {
        if let Some(names) = line.strip_prefix(MECHANISMS) {
            for name in names.split_whitespace() {
                self.mechanisms.push(named(name, MECHANISM_TYPES)?);
            }
        } else {
            self.rules.push(rule(line)?);
        }
        Some(())
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What becomes of a call that is for this mechanism, where it is for one.
    pub(crate) fn refusal(&self, mechanism: Option<ck::CK_MECHANISM_TYPE>) -> Option<Action> {
        let is_there = |mechanism| self.mechanisms.is_empty() || self.mechanisms.contains(&mechanism);
        (!is_there(mechanism?)).then_some(Action {
            done: false,
            end: End::Value(ck::CKR_MECHANISM_INVALID),
        })
    }

    /// What becomes of the call of a function, given its number among the calls of that function, and among all.
    pub(crate) fn action(&self, function: usize, number: u64, of_all: u64) -> Option<Action> {
        let mut rules = self.rules.iter();
        let fitting = rules.find(|rule| match rule.function {
            0 => rule.which.contains(of_all),
            one => one == function && rule.which.contains(number),
        });
        fitting.map(|rule| rule.what)
    }
}

impl Which {
    fn contains(&self, number: u64) -> bool {
        match self {
            Self::Range(range) => range.contains(&number),
            Self::Each(step) => number.is_multiple_of(*step),
        }
    }
}

/// The place of a function among those that are counted; 0 is all of them together.
pub(crate) fn number_of(function: &str) -> Option<usize> {
    if function == ANY {
        return Some(0);
    }
    let place = FUNCTIONS.iter().position(|name| *name == function)?;
    Some(place + 1)
}

fn rule(line: &str) -> Option<Rule> {
    let mut words = line.split_whitespace();
    let function = number_of(words.next()?)?;
    let which = which(words.next()?)?;
    let verb = words.next()?;
    let (done, verb) = verb
        .strip_prefix("do-and-")
        .map_or((false, verb), |verb| (true, verb));
    let end = match verb {
        "fail" => End::Value(named(words.next()?, VALUES)?),
        "delay" if !done => End::Later(Duration::from_millis(words.next()?.parse().ok()?)),
        "hang" => End::Hang,
        "crash" => End::Crash,
        _ => return None,
    };
    words.next().is_none().then_some(Rule {
        function,
        which,
        what: Action { done, end },
    })
}

fn which(word: &str) -> Option<Which> {
    if word == "all" {
        return Some(Which::Range(1..=u64::MAX));
    }
    if let Some(step) = word.strip_prefix('/') {
        let step = step.parse().ok()?;
        return (step > 0).then_some(Which::Each(step));
    }
    let (first, last) = match word.split_once('-') {
        None => (word, word),
        Some((first, "")) => return Some(Which::Range(first.parse().ok()?..=u64::MAX)),
        Some(range) => range,
    };
    Some(Which::Range(first.parse().ok()?..=last.parse().ok()?))
}

/// A return value or a mechanism by its number, or by its name where it is one of those that tests use.
fn named(word: &str, values: &[(&str, ck::CK_ULONG)]) -> Option<ck::CK_ULONG> {
    if let Some(number) = word.strip_prefix("0x") {
        return ck::CK_ULONG::from_str_radix(number, 16).ok();
    }
    let named = values.iter().find(|(name, _)| *name == word);
    named.map(|(_, value)| *value)
}

macro_rules! values {
    ($($name:ident)*) => { &[$((stringify!($name), ck::$name)),*] };
}

const VALUES: &[(&str, ck::CK_RV)] = values! {
    CKR_ARGUMENTS_BAD CKR_ATTRIBUTE_TYPE_INVALID CKR_ATTRIBUTE_VALUE_INVALID CKR_CRYPTOKI_NOT_INITIALIZED
    CKR_DEVICE_ERROR CKR_DEVICE_MEMORY CKR_DEVICE_REMOVED CKR_ENCRYPTED_DATA_INVALID CKR_FUNCTION_FAILED
    CKR_FUNCTION_NOT_SUPPORTED CKR_GENERAL_ERROR CKR_HOST_MEMORY CKR_KEY_HANDLE_INVALID CKR_KEY_UNEXTRACTABLE
    CKR_MECHANISM_INVALID CKR_OBJECT_HANDLE_INVALID CKR_OPERATION_ACTIVE CKR_OPERATION_NOT_INITIALIZED
    CKR_PIN_INCORRECT CKR_PIN_LOCKED CKR_SESSION_CLOSED CKR_SESSION_COUNT CKR_SESSION_HANDLE_INVALID
    CKR_SLOT_ID_INVALID CKR_TEMPLATE_INCONSISTENT CKR_TOKEN_NOT_PRESENT CKR_TOKEN_NOT_RECOGNIZED
    CKR_UNWRAPPING_KEY_HANDLE_INVALID CKR_USER_ALREADY_LOGGED_IN CKR_USER_NOT_LOGGED_IN CKR_WRAPPED_KEY_INVALID
    CKR_WRAPPED_KEY_LEN_RANGE CKR_WRAPPING_KEY_HANDLE_INVALID
};

const MECHANISM_TYPES: &[(&str, ck::CK_MECHANISM_TYPE)] = values! {
    CKM_AES_CBC CKM_AES_CBC_PAD CKM_AES_ECB CKM_AES_KEY_GEN CKM_ECDSA CKM_EC_KEY_PAIR_GEN CKM_GENERIC_SECRET_KEY_GEN
    CKM_RSA_PKCS CKM_RSA_PKCS_KEY_PAIR_GEN CKM_RSA_PKCS_OAEP CKM_SHA224 CKM_SHA256 CKM_SHA256_HMAC CKM_SHA384
    CKM_SHA384_HMAC CKM_SHA512 CKM_SHA512_HMAC CKM_SHA_1 CKM_SHA_1_HMAC
};

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(script: &str, function: &str, calls: u64) -> Vec<Option<End>> {
        let script = Script::parse(script).unwrap();
        let function = number_of(function).unwrap();
        (1..=calls)
            .map(|number| script.action(function, number, number).map(|action| action.end))
            .collect()
    }

    #[test]
    fn a_test_fails_the_calls_that_it_names_and_no_others() {
        let failed = Some(End::Value(ck::CKR_DEVICE_ERROR));
        for (which, expected) in [
            ("2", [None, failed, None, None, None]),
            ("2-3", [None, failed, failed, None, None]),
            ("4-", [None, None, None, failed, failed]),
            ("/2", [None, failed, None, failed, None]),
            ("all", [failed; 5]),
        ] {
            let rule = format!("C_WrapKey {which} fail CKR_DEVICE_ERROR");
            assert_eq!(ends(&rule, "C_WrapKey", 5), expected, "{which}");
            assert_eq!(ends(&rule, "C_UnwrapKey", 5), [None; 5], "{which}");
            let rule = format!("any {which} fail 0x30");
            assert_eq!(ends(&rule, "C_UnwrapKey", 5), expected, "{which}");
        }
    }

    #[test]
    fn of_two_rules_the_first_counts() {
        let script = "# first\nC_Login 1 hang\n\n any all crash\n";
        assert_eq!(ends(script, "C_Login", 2), [Some(End::Hang), Some(End::Crash)]);
    }

    #[test]
    fn a_mechanism_that_the_device_lacks_is_refused_and_no_other() {
        let script = Script::parse("mechanisms CKM_AES_CBC CKM_AES_CBC_PAD\nmechanisms 0x9\n").unwrap();
        let refused = Some(Action {
            done: false,
            end: End::Value(ck::CKR_MECHANISM_INVALID),
        });
        for (mechanism, expected) in [
            (Some(ck::CKM_AES_CBC), None),
            (Some(ck::CKM_RSA_PKCS_OAEP), None),
            (Some(ck::CKM_AES_GCM), refused),
            (None, None),
        ] {
            assert_eq!(script.refusal(mechanism), expected, "{mechanism:?}");
            assert_eq!(Script::default().refusal(mechanism), None);
        }
    }

    #[test]
    fn a_script_with_a_slip_is_not_taken_for_one_without_faults() {
        for line in [
            "C_WrapKy all hang",
            "C_WrapKey hang",
            "C_WrapKey all fail",
            "C_WrapKey all fail CKR_NO_SUCH_VALUE",
            "C_WrapKey /0 hang",
            "C_WrapKey all do-and-delay 5",
            "C_WrapKey all hang now",
            "mechanisms CKM_AES_CBC_PAID",
        ] {
            assert!(Script::parse(line).is_err(), "{line}");
        }
    }
}
