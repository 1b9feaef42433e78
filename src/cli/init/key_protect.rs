//! What is asked of an instance of Key Protect or of Hyper Protect Crypto Services.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use super::answers::{absolute, missing};
use super::questions::Questions;
use crate::cli::exit::Failure;
use crate::config::{KeyProtectAnswers, key_protect_url};

/// The options of an instance; any of them says that it is to hold the root keys.
#[derive(Debug, clap::Args)]
// clap would call the group as it calls that of the command's own arguments.
#[group(id = "key_protect")]
pub(super) struct Arguments {
    /// The address of Key Protect or of Hyper Protect Crypto Services, to hold the root keys in place of a device
    #[arg(long, value_name = "URL", conflicts_with_all = ["module", "token", "pin_file", "environment"])]
    key_protect_url: Option<String>,
    /// The GUID of the instance there
    #[arg(long, value_name = "UUID", conflicts_with_all = ["module", "token", "pin_file", "environment"])]
    instance_id: Option<String>,
    /// The file with the API key of a service ID, readable by the server alone
    #[arg(long, value_name = "FILE", conflicts_with_all = ["module", "token", "pin_file", "environment"])]
    api_key_file: Option<PathBuf>,
    /// The key ring of the root keys
    #[arg(long, value_name = "ID", requires = "key_protect_url")]
    key_ring: Option<String>,
    /// Where IAM gives out tokens [default: IBM Cloud's]
    #[arg(long, value_name = "URL", requires = "key_protect_url")]
    iam_url: Option<String>,
    /// Certificates of authorities that are trusted beside the system's, in PEM
    #[arg(long, value_name = "FILE", requires = "key_protect_url")]
    ca_file: Option<PathBuf>,
}

impl Arguments {
    /// Whether an instance is to hold the root keys.
    pub(super) fn is_meant(&self) -> bool {
        self.key_protect_url.is_some() || self.instance_id.is_some() || self.api_key_file.is_some()
    }

    /// The answers; what the options do not say is asked where there is somebody.
    pub(super) fn answers<I: BufRead, O: Write>(
        &self,
        name: String,
        questions: Option<&mut Questions<I, O>>,
        folder: &Path,
    ) -> Result<KeyProtectAnswers, Failure> {
        let (url, id, file) = (
            self.key_protect_url.clone(),
            self.instance_id.clone(),
            self.api_key_file.clone(),
        );
        let (url, instance_id, api_key_file) = match (url, id, file) {
            (Some(url), Some(id), Some(file)) => (url, id, file),
            (url, id, file) => {
                let Some(questions) = questions else {
                    return Err(missing(&[
                        (url.is_none(), "--key-protect-url"),
                        (id.is_none(), "--instance-id"),
                        (file.is_none(), "--api-key-file"),
                    ])
                    .remedy("give these options, or run `claviger init` at a terminal"));
                };
                ask(questions, url, id, file, folder)?
            }
        };
        Ok(KeyProtectAnswers {
            name,
            url,
            instance_id,
            key_ring: self.key_ring.clone(),
            api_key_file: absolute(&api_key_file)?,
            iam_url: self.iam_url.clone(),
            ca_file: self.ca_file.as_deref().map(absolute).transpose()?,
        })
    }
}

fn ask<I: BufRead, O: Write>(
    questions: &mut Questions<I, O>,
    url: Option<String>,
    instance_id: Option<String>,
    api_key_file: Option<PathBuf>,
    folder: &Path,
) -> Result<(String, String, PathBuf), Failure> {
    let url = match url {
        Some(url) => url,
        None => questions.ask(
            "URL of the service, such as https://eu-de.kms.cloud.ibm.com",
            None,
            |answer| key_protect_url(answer).map(|()| answer.to_owned()),
        )?,
    };
    let instance_id = match instance_id {
        Some(id) => id,
        None => questions.ask("GUID of the instance", None, |answer| {
            let id = answer.parse::<uuid::Uuid>();
            id.map(|id| id.to_string()).map_err(|_| {
                format!("{answer:?} is no GUID; `ibmcloud resource service-instance NAME` shows it")
            })
        })?,
    };
    let api_key_file = if let Some(file) = api_key_file {
        file
    } else {
        let usual = folder.join("ibm.apikey");
        questions.ask(
            "File with the API key",
            usual.to_str(),
            |answer| Ok(answer.into()),
        )?
    };
    Ok((url, instance_id, api_key_file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_is_asked_for_at_the_terminal_becomes_the_configuration() {
        let typed = "http://eu-de.kms.cloud.ibm.com\nhttps://eu-de.kms.cloud.ibm.com\nx\n\
            c0ffee00-0000-4000-8000-000000000001\n\n";
        let mut said = Vec::new();
        let mut questions = Questions::new(typed.as_bytes(), &mut said);
        let (url, id, file) = ask(&mut questions, None, None, None, Path::new("/etc/claviger")).unwrap();
        assert_eq!(url, "https://eu-de.kms.cloud.ibm.com");
        assert_eq!(id, "c0ffee00-0000-4000-8000-000000000001");
        assert_eq!(file, Path::new("/etc/claviger/ibm.apikey"));
        let said = String::from_utf8(said).unwrap();
        assert!(
            said.contains("in the clear") && said.contains("is no GUID"),
            "{said}"
        );
    }
}
