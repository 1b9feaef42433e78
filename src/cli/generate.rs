//! `claviger generate`: manual pages and shell completions, made from the commands themselves for a package.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, ValueEnum as _};
use clap_complete::{Shell, generate_to};

use super::exit::{Exit, Failure};
use crate::verifier;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write a manual page for each command into a folder
    Man {
        /// The folder; made where it is missing
        folder: PathBuf,
    },
    /// Write the completions of each shell into a folder
    Completions {
        /// The folder; made where it is missing
        folder: PathBuf,
    },
}

/// Runs the command.
pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    let (folder, written) = match command {
        Command::Man { folder } => (folder, pages(folder)),
        Command::Completions { folder } => (folder, completions(folder)),
    };
    written
        .map(|()| Exit::Done)
        .map_err(|error| Failure::new(format!("cannot write into {}: {error}", folder.display())))
}

/// The programs of the package.
fn programs() -> [clap::Command; 2] {
    [super::Arguments::command(), verifier::Command::command()]
}

fn pages(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for program in programs() {
        clap_mangen::generate_to(program, folder)?;
    }
    Ok(())
}

fn completions(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for mut program in programs() {
        let name = program.get_name().to_owned();
        for shell in Shell::value_variants() {
            generate_to(*shell, &mut program, &name, folder)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
        names.map(|name| name.expect("a name of letters")).collect()
    }

    #[test]
    fn each_command_that_is_shown_has_a_manual_page() {
        let folder = tempfile::tempdir().expect("a folder");
        pages(folder.path()).expect("they are written");
        let names = names(folder.path());
        for page in [
            "claviger.1",
            "claviger-serve.1",
            "claviger-witness-run.1",
            "claviger-verify.1",
        ] {
            assert!(
                names.iter().any(|name| name == page),
                "{page} is not in {names:?}"
            );
        }
        for hidden in ["claviger-device-worker.1", "claviger-generate.1"] {
            assert!(
                !names.iter().any(|name| name == hidden),
                "{hidden} is in {names:?}"
            );
        }
        let page = fs::read_to_string(folder.path().join("claviger.1")).expect("a page");
        assert!(page.contains("/etc/claviger/claviger.toml"), "{page}");
        assert!(page.contains("Exit codes"), "{page}");
    }

    #[test]
    fn each_shell_completes_both_programs() {
        let folder = tempfile::tempdir().expect("a folder");
        completions(folder.path()).expect("they are written");
        let names = names(folder.path());
        for file in [
            "claviger.bash",
            "_claviger",
            "claviger.fish",
            "claviger-verify.bash",
        ] {
            assert!(
                names.iter().any(|name| name == file),
                "{file} is not in {names:?}"
            );
        }
    }
}
