//! A software token that is made where there is none.

use super::protocol::{Begin, Begun};
use super::{Connection, Logins, TransportPair, connect};
use crate::Error;
use crate::configuration::{DeviceConfig, WorkerCommand};

/// Has a worker initialise a free token under the label that the device is found by, with the user PIN of its PIN file. That
/// there is one of the label is success. For software tokens: whatever was on the token that is taken goes.
///
/// Fails with [`Error::SlotNotFound`] where no token is free.
pub async fn make_token(config: &DeviceConfig, command: &WorkerCommand) -> Result<(), Error> {
    let pair = tokio::task::spawn_blocking(TransportPair::generate)
        .await
        .map_err(|error| Error::transport(error.to_string()))??;
    match connect(config, command, &pair, &Logins::new()?, Begin::MakeToken).await? {
        Connection {
            begun: Begun::TokenMade,
            process,
            ..
        } => {
            process.end_within_grace().await;
            Ok(())
        }
        Connection {
            begun: Begun::Failed(error),
            ..
        } => Err(error),
        _ => Err(Error::protocol("an answer to another question")),
    }
}
