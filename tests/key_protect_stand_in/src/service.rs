//! A stand-in while it serves: everything that a call needs.

use std::path::Path;
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::iam::Iam;
use crate::options::{Aad, Form, Waits};
use crate::store::{self, Store};
use crate::vault::Vault;
use crate::{Error, Options, files};

/// State, token and IAM of one instance.
pub(crate) struct Service {
    pub(crate) instance: Uuid,
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) iam: Iam,
    pub(crate) aad: Aad,
    pub(crate) waits: Waits,
    form: Form,
}

impl Service {
    /// Opens what is in the directory.
    pub(crate) async fn open(options: &Options, instance: Uuid) -> Result<Self, Error> {
        Ok(Self {
            instance,
            store: Store::open(&store::journal_path(&options.directory))?,
            vault: Vault::open(options).await?,
            iam: Iam::open(&options.directory)?,
            aad: options.aad,
            waits: options.waits,
            form: options.form,
        })
    }

    /// The Cloud Resource Name of something of the instance.
    pub(crate) fn crn(&self, kind: &str, id: Uuid) -> String {
        let service = self.form.service_name();
        let (region, account, instance) = (crate::REGION, crate::ACCOUNT, self.instance);
        format!("crn:v1:bluemix:public:{service}:{region}:a/{account}:{instance}:{kind}:{id}")
    }
}

/// The instance's identifier, made where there is none.
pub(crate) fn instance(directory: &Path) -> Result<Uuid, Error> {
    let path = directory.join("instance-id");
    let text = files::read_or_make(&path, || Ok(Uuid::new_v4().to_string().into_bytes()))?;
    Uuid::try_parse_ascii(&text).map_err(|error| Error::content(&path, error))
}

/// Whether so long has passed.
pub(crate) fn waited(since: OffsetDateTime, wait: Duration, now: OffsetDateTime) -> bool {
    now - since >= wait
}
