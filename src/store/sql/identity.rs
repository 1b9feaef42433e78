//! Adapters and client certificates.

use crate::adapter::{Adapter, AdapterId, ClientCertificate, RootKeyId};
use crate::store::Error;
use crate::store::table::{AdapterColumns, CertificateColumns, Sealed};

use super::change::Changes;
use super::dialect::Connection;
use super::read::{columns as columns_of, within};

const ADAPTER: &str = "SELECT * FROM adapter WHERE id = $1";

impl Changes {
    pub(in crate::store) async fn create_adapter(
        &mut self,
        connection: &mut Connection,
        adapter: &Adapter,
    ) -> Result<(), Error> {
        let root_key = adapter.root_key;
        self.require_enabled(&mut *connection, root_key).await?;
        let mut columns = AdapterColumns::of(adapter)?;
        columns.seal = columns.columns().seal(&*self.keys.get(root_key)?).to_vec();
        sqlx::query(
            "INSERT INTO adapter (id, name, description, root_key, created_at, created_by, seal) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(columns.id)
        .bind(columns.name)
        .bind(columns.description)
        .bind(columns.root_key)
        .bind(columns.created_at)
        .bind(columns.created_by)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("enter an adapter", "adapter", &adapter.name))?;
        Ok(())
    }

    pub(in crate::store) async fn add_certificate(
        &mut self,
        connection: &mut Connection,
        certificate: &ClientCertificate,
    ) -> Result<(), Error> {
        let sealed_by = self.root_key_of(connection, certificate.adapter).await?;
        let known: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM client_certificate WHERE fingerprint = $1)")
                .bind(certificate.fingerprint.0.to_vec())
                .fetch_one(&mut *connection)
                .await
                .map_err(Error::database("look for a certificate"))?;
        if known {
            let name = certificate.fingerprint.to_string();
            return Err(Error::Exists {
                what: "client certificate",
                name,
            });
        }
        let mut columns = CertificateColumns::of(certificate, sealed_by)?;
        columns.seal = columns.columns().seal(&*self.keys.get(sealed_by)?).to_vec();
        sqlx::query(
            "INSERT INTO client_certificate (fingerprint, adapter, name, der, subject, issuer, serial, not_before, \
             not_after, added_at, added_by, sealed_by, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(columns.fingerprint)
        .bind(columns.adapter)
        .bind(columns.name)
        .bind(columns.der)
        .bind(columns.subject)
        .bind(columns.issuer)
        .bind(columns.serial)
        .bind(columns.not_before)
        .bind(columns.not_after)
        .bind(columns.added_at)
        .bind(columns.added_by)
        .bind(columns.sealed_by)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("add a certificate", "client certificate", &certificate.name))?;
        Ok(())
    }

    /// Puts an adapter, its certificates, its settings and its quota under another root key and its seal. Each row is verified before it is sealed anew.
    pub(in crate::store) async fn move_adapter(
        &mut self,
        connection: &mut Connection,
        id: AdapterId,
        to: RootKeyId,
    ) -> Result<(), Error> {
        self.require_enabled(&mut *connection, to).await?;
        let found = within::<AdapterColumns>(&mut *connection, ADAPTER, id.uuid(), &self.keys).await?;
        let adapter = Adapter {
            root_key: to,
            ..found.ok_or_else(|| Error::NotFound {
                what: "adapter",
                id: id.to_string(),
            })?
        };
        let key = self.keys.get(to)?;
        let mut columns = AdapterColumns::of(&adapter)?;
        columns.seal = columns.columns().seal(&key).to_vec();
        sqlx::query("UPDATE adapter SET root_key = $1, seal = $2 WHERE id = $3")
            .bind(columns.root_key)
            .bind(columns.seal)
            .bind(columns.id)
            .execute(&mut *connection)
            .await
            .map_err(Error::database("move an adapter"))?;
        let certificates = sqlx::query("SELECT * FROM client_certificate WHERE adapter = $1")
            .bind(id.uuid().as_bytes().to_vec())
            .fetch_all(&mut *connection)
            .await
            .map_err(Error::database("read an adapter's certificates"))?;
        for row in certificates {
            let certificate = columns_of::<CertificateColumns>(&row)?.open(&self.keys)?;
            let mut columns = CertificateColumns::of(&certificate, to)?;
            columns.seal = columns.columns().seal(&key).to_vec();
            sqlx::query("UPDATE client_certificate SET sealed_by = $1, seal = $2 WHERE fingerprint = $3")
                .bind(columns.sealed_by)
                .bind(columns.seal)
                .bind(columns.fingerprint)
                .execute(&mut *connection)
                .await
                .map_err(Error::database("move a certificate"))?;
        }
        self.move_settings(&mut *connection, id, to).await?;
        self.move_quota(connection, id, to).await
    }
}

pub(in crate::store) async fn delete_adapter(
    connection: &mut Connection,
    id: AdapterId,
) -> Result<(), Error> {
    let keys: i64 =
        sqlx::query_scalar("SELECT count(*) FROM managed_object WHERE adapter = $1 AND wrapped IS NOT NULL")
            .bind(id.uuid().as_bytes().to_vec())
            .fetch_one(&mut *connection)
            .await
            .map_err(Error::database("count an adapter's keys"))?;
    if keys > 0 {
        let by = if keys == 1 {
            "one key".into()
        } else {
            format!("{keys} keys")
        };
        return Err(Error::InUse {
            what: "adapter",
            id: id.to_string(),
            by,
        });
    }
    for sql in [
        "DELETE FROM index_term WHERE ordinal IN (SELECT ordinal FROM managed_object WHERE adapter = $1)",
        "DELETE FROM managed_object WHERE adapter = $1",
        "DELETE FROM client_certificate WHERE adapter = $1",
        "DELETE FROM adapter_setting WHERE id = $1",
        "DELETE FROM adapter_quota WHERE id = $1",
        "DELETE FROM adapter_usage WHERE id = $1",
    ] {
        sqlx::query(sql)
            .bind(id.uuid().as_bytes().to_vec())
            .execute(&mut *connection)
            .await
            .map_err(Error::database("delete what an adapter has"))?;
    }
    let deleted = sqlx::query("DELETE FROM adapter WHERE id = $1")
        .bind(id.uuid().as_bytes().to_vec())
        .execute(connection)
        .await
        .map_err(Error::database("delete an adapter"))?;
    found(deleted.rows_affected(), "adapter", &id)
}

pub(in crate::store) fn found(
    rows: u64,
    what: &'static str,
    id: &dyn std::fmt::Display,
) -> Result<(), Error> {
    if rows == 0 {
        Err(Error::NotFound {
            what,
            id: id.to_string(),
        })
    } else {
        Ok(())
    }
}

/// Tells a name or identifier that is taken from other failures of an insert.
pub(in crate::store) fn taken(
    doing: &'static str,
    what: &'static str,
    name: &str,
) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| match &source {
        sqlx::Error::Database(error) if error.is_unique_violation() => Error::Exists {
            what,
            name: name.to_owned(),
        },
        _ => Error::Database { doing, source },
    }
}
