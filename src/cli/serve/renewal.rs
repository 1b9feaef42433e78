//! The server's certificate, renewed by a command ahead of its end.

use std::time::Duration;

use metrics::counter;
use time::OffsetDateTime;
use tokio::time::sleep;

use crate::config::Config;
use crate::tls::{Renewal, RenewalTrouble, finish_renewal};

/// How often it is looked whether the certificate is to be renewed; and how long after a failure it is tried again.
const LOOK: Duration = Duration::from_hours(1);

/// How the configuration has it renewed; none where it is not.
pub(super) fn of(config: &Config) -> Option<Renewal> {
    let renewal = config.kmip.renewal.as_ref()?;
    Some(Renewal {
        command: renewal.command.clone(),
        before: renewal.before,
        certificate: config.kmip.certificate.clone(),
        key: config.kmip.key.clone(),
    })
}

/// Finishes a renewal that broke off, before anybody looks whether certificate and key fit together.
pub(super) fn finish(config: &Config) {
    let file = config.kmip.certificate.display();
    match finish_renewal(&config.kmip.certificate, &config.kmip.key) {
        Ok(false) => {}
        Ok(true) => {
            tracing::info!(%file, "a renewal of the server's certificate that had broken off is finished");
        }
        Err(error) => {
            tracing::warn!(%file, %error, "a renewal of the server's certificate broke off and can't be finished");
        }
    }
}

/// Renews the certificate whenever that is due, for as long as the server runs. The endpoint takes up the new files by itself.
pub(super) async fn keep_renewed(renewal: Renewal, trouble: RenewalTrouble) {
    loop {
        let now = OffsetDateTime::now_utc();
        let renewed = match renewal.due() {
            Ok(due) if due > now => {
                sleep(LOOK).await;
                continue;
            }
            Ok(_) => renewal.renew().await,
            Err(error) => Err(error),
        };
        let file = renewal.certificate.display();
        let result = match renewed {
            Ok(until) => {
                tracing::info!(%file, until = %until.date(), "the server's certificate was renewed");
                trouble.is_over();
                "success"
            }
            Err(error) => {
                tracing::warn!(%file, %error, "the server's certificate could not be renewed: it is tried again in an hour");
                trouble.is(error.to_string());
                "failure"
            }
        };
        counter!("claviger_certificate_renewals_total", "result" => result).increment(1);
        sleep(LOOK).await;
    }
}
