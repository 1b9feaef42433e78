//! What goes into the configuration: from the arguments, and from the operator where those are silent.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::Arguments;
use super::questions::Questions;
use crate::cli::exit::Failure;
use crate::config::{DeviceAnswers, InitAnswers, InitBackend, TokenSelector};
use crate::root_key::BackendKind;

/// Modules that are found where their packages put them; the first that exists is offered.
const USUAL_MODULES: [&str; 5] = [
    "/opt/nfast/toolkits/pkcs11/libcknfast.so",
    "/usr/safenet/lunaclient/lib/libCryptoki2_64.so",
    "/opt/utimaco/lib/libcs_pkcs11_R3.so",
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
];

/// Where distributions have the module of SoftHSM.
const SOFTHSM: [&str; 5] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/s390x-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
];

/// What holds the root keys, for one who is asked.
const PKCS11: &str = BackendKind::Pkcs11.name();
const KEY_PROTECT: &str = BackendKind::KeyProtect.name();

/// The answers from the arguments; from the terminal, where there is one, what is missing there.
pub(super) fn answers(arguments: &Arguments, folder: &Path) -> Result<InitAnswers, Failure> {
    let mut questions = (!arguments.non_interactive && io::stdin().is_terminal())
        .then(|| Questions::new(io::stdin().lock(), io::stderr()));
    let backend = backend(arguments, questions.as_mut(), folder)?;
    Ok(InitAnswers {
        node: arguments.node.clone(),
        state_directory: absolute(&arguments.state_directory)?,
        listen: arguments.listen.iter().map(ToString::to_string).collect(),
        certificate: "server.pem".into(),
        key: "server.key".into(),
        custody_software: custody_software(arguments, &backend),
        backend,
    })
}

/// What signs the custody log for want of a device: SoftHSM, where it is installed.
fn custody_software(arguments: &Arguments, backend: &InitBackend) -> Option<PathBuf> {
    let given = arguments.custody_software.clone();
    given.or_else(|| match backend {
        InitBackend::Device(_) => None,
        InitBackend::KeyProtect(_) => SOFTHSM.iter().map(PathBuf::from).find(|module| module.is_file()),
    })
}

fn backend<I: BufRead, O: Write>(
    arguments: &Arguments,
    mut questions: Option<&mut Questions<I, O>>,
    folder: &Path,
) -> Result<InitBackend, Failure> {
    let says_nothing =
        arguments.module.is_none() && token(arguments).is_none() && arguments.pin_file.is_none();
    let is_key_protect = match &mut questions {
        _ if arguments.key_protect.is_meant() => true,
        Some(questions) if says_nothing => questions.ask(
            "What holds the root keys: a slot of an HSM (pkcs11), or Key Protect or HPCS (key-protect)",
            Some(PKCS11),
            |answer| match answer {
                PKCS11 => Ok(false),
                KEY_PROTECT => Ok(true),
                _ => Err(format!("write {PKCS11} or {KEY_PROTECT}")),
            },
        )?,
        _ => false,
    };
    let name = |usual: &str| arguments.device.clone().unwrap_or_else(|| usual.to_owned());
    if is_key_protect {
        let instance = arguments.key_protect.answers(name("ibm"), questions, folder)?;
        Ok(InitBackend::KeyProtect(instance))
    } else {
        device(name("hsm"), arguments, questions, folder).map(InitBackend::Device)
    }
}

fn token(arguments: &Arguments) -> Option<TokenSelector> {
    match (&arguments.token_label, &arguments.token_serial, arguments.slot) {
        (Some(label), _, _) => Some(TokenSelector::Label(label.clone())),
        (_, Some(serial), _) => Some(TokenSelector::Serial(serial.clone())),
        (_, _, Some(slot)) => Some(TokenSelector::Slot(slot)),
        _ => None,
    }
}

fn device<I: BufRead, O: Write>(
    name: String,
    arguments: &Arguments,
    questions: Option<&mut Questions<I, O>>,
    folder: &Path,
) -> Result<DeviceAnswers, Failure> {
    let (module, pin_file) = (arguments.module.clone(), arguments.pin_file.clone());
    let (module, token, pin_file) = match (module, token(arguments), pin_file) {
        (Some(module), Some(token), Some(pin_file)) => (module, token, pin_file),
        (module, token, pin_file) => {
            let Some(questions) = questions else {
                return Err(missing(&[
                    (module.is_none(), "--module"),
                    (token.is_none(), "--token-label"),
                    (pin_file.is_none(), "--pin-file"),
                ])
                .remedy(
                    "give these options, or those of an instance of Key Protect (--key-protect-url, --instance-id, \
                     --api-key-file), or run `claviger init` at a terminal",
                ));
            };
            ask(questions, module, token, pin_file, folder)?
        }
    };
    Ok(DeviceAnswers {
        name,
        module,
        token,
        pin_file: absolute(&pin_file)?,
        environment: arguments.environment.clone(),
    })
}

/// Options that somebody at a terminal would be asked for.
pub(super) fn missing(options: &[(bool, &str)]) -> Failure {
    let options: Vec<_> = options
        .iter()
        .filter_map(|(missing, option)| missing.then_some(*option))
        .collect();
    Failure::usage(format!(
        "nobody is there to be asked, and no option says {}",
        options.join(", ")
    ))
}

fn ask<I: BufRead, O: Write>(
    questions: &mut Questions<I, O>,
    module: Option<PathBuf>,
    token: Option<TokenSelector>,
    pin_file: Option<PathBuf>,
    folder: &Path,
) -> Result<(PathBuf, TokenSelector, PathBuf), Failure> {
    let module = match module {
        Some(module) => module,
        None => ask_module(questions)?,
    };
    let token = match token {
        Some(token) => token,
        None => questions.ask(
            "Token label, or slot:NUMBER, or serial:NUMBER",
            None,
            token_answer,
        )?,
    };
    let pin_file = if let Some(pin_file) = pin_file {
        pin_file
    } else {
        let usual = folder.join("pin");
        questions.ask("File with the user PIN", usual.to_str(), |answer| {
            Ok(answer.into())
        })?
    };
    Ok((module, token, pin_file))
}

fn ask_module<I: BufRead, O: Write>(questions: &mut Questions<I, O>) -> Result<PathBuf, Failure> {
    let usual = USUAL_MODULES
        .into_iter()
        .find(|module| Path::new(module).exists());
    questions.ask("PKCS#11 module of the HSM", usual, |answer| {
        let path = PathBuf::from(answer);
        if path.is_file() {
            Ok(path)
        } else {
            Err(format!("there is no file {answer:?}"))
        }
    })
}

fn token_answer(answer: &str) -> Result<TokenSelector, String> {
    if let Some(slot) = answer.strip_prefix("slot:") {
        return slot
            .parse()
            .map(TokenSelector::Slot)
            .map_err(|_| format!("{slot:?} is not a slot number"));
    }
    match answer
        .strip_prefix("serial:")
        .map(|serial| TokenSelector::Serial(serial.to_owned()))
    {
        Some(serial) => Ok(serial),
        None if answer.is_empty() => Err("a token has to be named".to_owned()),
        None => Ok(TokenSelector::Label(answer.to_owned())),
    }
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_asked_at_the_terminal_becomes_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("module.so");
        fs::write(&module, "").unwrap();
        let typed = format!("/no/such.so\n{}\nslot:x\nslot:5\n\n", module.display());
        let mut said = Vec::new();
        let mut questions = Questions::new(typed.as_bytes(), &mut said);
        let (found, token, pin) = ask(&mut questions, None, None, None, Path::new("/etc/claviger")).unwrap();
        assert_eq!(found, module);
        assert_eq!(token, TokenSelector::Slot(5));
        assert_eq!(pin, Path::new("/etc/claviger/pin"));
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("there is no file \"/no/such.so\""), "{said}");
    }
}
