//! The log's side: asks the witnesses of a policy to cosign each checkpoint.
//!
//! All are asked at once, and none is waited for longer than the deadline. What a witness cosigned last is known by its own
//! word and asked for anew where it is not, so that nothing is kept here. A witness that has cosigned a larger log than
//! there is tells of a rollback.

mod asking;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use reqwest::redirect::Policy as Redirects;
use reqwest::{Certificate, Url};

use crate::custody::{Checkpoint, Policy, PolicyWitness, SignedNote};
use crate::recorder::{Consistency, Cosigned, Cosigner, WitnessStatus};

use asking::Asked;

/// A connection that nothing went over for so long is closed: before the witness does it, while a request is on the way.
const IDLE: Duration = Duration::from_secs(5);

/// Whom to ask, and for how long.
#[derive(Clone, Debug)]
pub struct WitnessesConfig {
    /// Which witnesses there are, where each is, and how many are enough.
    pub policy: Policy,
    /// PEM certificates of authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long one of them may take, all tries included.
    pub deadline: Duration,
}

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessesError {
    /// The policy has witnesses, and says of none where it is.
    #[error("the policy says of no witness where it is: write its URL behind its key")]
    NoUrl,
    /// Those of which it says where they are can't be enough.
    #[error(
        "the policy's quorum needs witnesses of which it does not say where they are: write their URLs behind their keys"
    )]
    NoQuorum,
    /// What it says is no URL.
    #[error("the policy says that the witness {name} is at {url:?}, which is no http:// or https:// URL")]
    Url {
        /// The witness, as the policy names it.
        name: String,
        /// What it says.
        url: String,
    },
    /// The file of authorities can't be used.
    #[error("{} can't be used for the authorities of witnesses: {why}", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is no HTTP client.
    #[error("HTTP can't be spoken to witnesses: {0}")]
    Http(#[from] reqwest::Error),
}

/// The witnesses of a policy.
pub struct Witnesses {
    policy: Policy,
    http: reqwest::Client,
    deadline: Duration,
    asked: Vec<Asked>,
}

impl Witnesses {
    /// Connects to nobody yet.
    pub fn new(config: WitnessesConfig) -> Result<Self, WitnessesError> {
        let mut asked = Vec::new();
        for witness in config.policy.witnesses() {
            if let Some(url) = &witness.url {
                asked.push(Asked::new(witness.clone(), add_checkpoint(witness, url)?));
            }
        }
        if asked.is_empty() {
            return Err(WitnessesError::NoUrl);
        }
        let names: Vec<_> = asked.iter().map(|asked| asked.witness().name.as_str()).collect();
        if !config.policy.is_quorum(&names) {
            return Err(WitnessesError::NoQuorum);
        }
        Ok(Self {
            http: client(&config)?,
            policy: config.policy,
            deadline: config.deadline,
            asked,
        })
    }
}

fn add_checkpoint(witness: &PolicyWitness, text: &str) -> Result<Url, WitnessesError> {
    let url = Url::parse(&format!("{}/add-checkpoint", text.trim_end_matches('/')));
    url.ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none())
        .ok_or_else(|| WitnessesError::Url {
            name: witness.name.clone(),
            url: text.to_owned(),
        })
}

fn client(config: &WitnessesConfig) -> Result<reqwest::Client, WitnessesError> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_rustls()
        .http1_only()
        .no_proxy()
        .redirect(Redirects::none())
        .referer(false)
        .connect_timeout(config.deadline)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("claviger/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = &config.ca_file {
        let refused = |why: String| WitnessesError::Authorities {
            path: path.clone(),
            why,
        };
        let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
        let authorities = Certificate::from_pem_bundle(&pem).map_err(|error| refused(error.to_string()))?;
        if authorities.is_empty() {
            return Err(refused("it has no certificate in PEM".into()));
        }
        builder = builder.tls_certs_merge(authorities);
    }
    Ok(builder.build()?)
}

#[async_trait]
impl Cosigner for Witnesses {
    async fn cosign(&self, checkpoint: &Checkpoint, note: &SignedNote, log: &dyn Consistency) -> Cosigned {
        let asking = self.asked.iter().map(async |asked| {
            let cosigning = asked.cosign(&self.http, checkpoint, note, log);
            tokio::time::timeout(self.deadline, cosigning)
                .await
                .unwrap_or_else(|_| Err(format!("no answer came within {:?}", self.deadline)))
        });
        let answers = join_all(asking).await;
        let mut cosigned = Cosigned::default();
        let mut names = Vec::new();
        for (asked, answer) in self.asked.iter().zip(answers) {
            let witness = asked.witness();
            let trouble = match answer {
                Ok(signature) => {
                    names.push(witness.name.as_str());
                    cosigned.signatures.push(signature);
                    None
                }
                Err(why) => Some(why),
            };
            cosigned.witnesses.push(WitnessStatus {
                name: witness.key.name().to_owned(),
                ahead: asked.cosigned().filter(|size| *size > checkpoint.head.size),
                trouble,
            });
        }
        cosigned.quorum = self.policy.is_quorum(&names);
        cosigned
    }
}
