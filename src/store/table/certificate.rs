//! The table of client certificates.

use sqlx::FromRow;

use super::{Sealed, microseconds, moment, uuid};
use crate::adapter::{ClientCertificate, Fingerprint, RootKeyId};
use crate::store::Error;
use crate::store::seal::Columns;

#[derive(FromRow)]
pub(in crate::store) struct CertificateColumns {
    pub(in crate::store) fingerprint: Vec<u8>,
    pub(in crate::store) adapter: Vec<u8>,
    pub(in crate::store) name: String,
    pub(in crate::store) der: Vec<u8>,
    pub(in crate::store) subject: String,
    pub(in crate::store) issuer: String,
    pub(in crate::store) serial: String,
    pub(in crate::store) not_before: i64,
    pub(in crate::store) not_after: i64,
    pub(in crate::store) added_at: i64,
    pub(in crate::store) added_by: Option<String>,
    pub(in crate::store) sealed_by: Vec<u8>,
    pub(in crate::store) seal: Vec<u8>,
}

impl CertificateColumns {
    pub(in crate::store) fn of(certificate: &ClientCertificate, sealed_by: RootKeyId) -> Result<Self, Error> {
        Ok(Self {
            fingerprint: certificate.fingerprint.0.to_vec(),
            adapter: certificate.adapter.uuid().as_bytes().to_vec(),
            name: certificate.name.clone(),
            der: certificate.der.clone(),
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            serial: certificate.serial.clone(),
            not_before: microseconds(certificate.not_before)?,
            not_after: microseconds(certificate.not_after)?,
            added_at: microseconds(certificate.added_at)?,
            added_by: certificate.added_by.clone(),
            sealed_by: sealed_by.uuid().as_bytes().to_vec(),
            seal: Vec::new(),
        })
    }
}

impl Sealed for CertificateColumns {
    const TABLE: &'static str = "client_certificate";
    type Value = ClientCertificate;

    fn shown_id(&self) -> String {
        hex::encode(&self.fingerprint)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.sealed_by
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .blob(&self.fingerprint)
            .blob(&self.adapter)
            .text(&self.name)
            .blob(&self.der)
            .text(&self.subject)
            .text(&self.issuer)
            .text(&self.serial)
            .integer(self.not_before)
            .integer(self.not_after)
            .integer(self.added_at)
            .blob(&self.sealed_by)
            .added(self.added_by.as_deref())
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<ClientCertificate, String> {
        let fingerprint = Fingerprint::of_der(&self.der);
        if fingerprint.0 != self.fingerprint.as_slice() {
            return Err(format!("its certificate has the fingerprint {fingerprint}"));
        }
        Ok(ClientCertificate {
            fingerprint,
            adapter: uuid(&self.adapter, "the adapter")?.into(),
            name: self.name,
            der: self.der,
            subject: self.subject,
            issuer: self.issuer,
            serial: self.serial,
            not_before: moment(self.not_before)?,
            not_after: moment(self.not_after)?,
            added_at: moment(self.added_at)?,
            added_by: self.added_by,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{adapter, keys, tampered};
    use super::*;
    use crate::store::suite::fixture::{certificate, seal_key};

    #[test]
    fn a_certificate_under_another_fingerprint_is_refused_in_spite_of_its_seal() {
        let adapter = adapter();
        let mut columns =
            CertificateColumns::of(&certificate(adapter.id, "vcenter"), adapter.root_key).unwrap();
        columns.fingerprint = vec![0; 32];
        columns.seal = columns.columns().seal(&seal_key(1)).to_vec();
        assert!(tampered(columns.open(&keys(&adapter))).contains("its certificate has the fingerprint"));
    }
}
