//! What is about to expire, or has: the server's own certificates, those of clients, and those of authorities.

use std::path::Path;

use time::OffsetDateTime;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::Administration;
use crate::adapter::{ClientCertificate, Trust};
use crate::store::SettingKind;

/// A sentence for each, the first to expire first.
pub(super) async fn told(administration: &Administration, clients: &[ClientCertificate]) -> Vec<String> {
    let now = OffsetDateTime::now_utc();
    let server = administration.server();
    let limit = now.saturating_add(
        server
            .warn_before_expiry
            .try_into()
            .unwrap_or(time::Duration::MAX),
    );
    let mut found: Vec<_> = clients
        .iter()
        .map(|certificate| {
            let what = format!(
                "the client certificate {} ({})",
                certificate.name, certificate.subject
            );
            (certificate.not_after, what)
        })
        .collect();
    for (name, certificate) in authorities(administration).await {
        let what = format!("the authority {name} ({})", certificate.subject);
        found.push((certificate.not_after, what));
    }
    for file in &server.certificates {
        // One that can't be read is told of where it is served.
        if let Some(until) = end_of(file).await {
            found.push((until, format!("the server's certificate {}", file.display())));
        }
    }
    found.retain(|(until, _)| *until <= limit);
    found.sort();
    let sentences = found.into_iter().map(|(until, what)| {
        let left = until - now;
        if left.is_negative() {
            format!("{what} expired on {}", until.date())
        } else {
            format!(
                "{what} expires in {} days, on {}",
                left.whole_days(),
                until.date()
            )
        }
    });
    let failed = server.renewal.told().map(|why| {
        format!("the server's certificate could not be renewed, and it is tried again within the hour: {why}")
    });
    failed.into_iter().chain(sentences).collect()
}

/// The authorities that adapters trust. Those that can't be read are told of where they are to let somebody in.
async fn authorities(administration: &Administration) -> Vec<(String, ClientCertificate)> {
    let Ok(trusted) = administration.store().settings_of(SettingKind::Trust).await else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for setting in trusted.rows {
        let trust = Trust::from_document(Some(&setting.document)).unwrap_or_default();
        for authority in trust.authorities {
            if let Ok(certificate) = authority.read(setting.adapter) {
                found.push((authority.name, certificate));
            }
        }
    }
    found
}

/// The end of the validity of the first certificate in a file.
pub(super) async fn end_of(file: &Path) -> Option<OffsetDateTime> {
    let text = tokio::fs::read(file).await.ok()?;
    let block = Pem::iter_from_buffer(&text)
        .filter_map(Result::ok)
        .find(|block| block.label == "CERTIFICATE")?;
    let (_, certificate) = X509Certificate::from_der(&block.contents).ok()?;
    Some(certificate.validity().not_after.to_datetime())
}
