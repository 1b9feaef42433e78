//! Root keys, adapters and client certificates.

use sqlx::sqlite::SqliteConnection;

use super::change::Changes;
use crate::adapter::{Adapter, AdapterId, ClientCertificate, RootKey, RootKeyVersion};
use crate::store::Error;
use crate::store::sqlite::read::within;
use crate::store::table::{
    AdapterColumns, CertificateColumns, RootKeyColumns, RootKeyVersionColumns, Sealed,
};

impl Changes {
    pub(super) async fn create_root_key(
        &self,
        connection: &mut SqliteConnection,
        root_key: &RootKey,
    ) -> Result<(), Error> {
        let mut columns = RootKeyColumns::of(root_key)?;
        columns.seal = columns.columns().seal(&*self.keys.get(root_key.id)?).to_vec();
        sqlx::query(
            "INSERT INTO root_key (id, name, backend, token_label, token_serial, label, version, check_value, \
             seal_key_profile, seal_key, created_at, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(columns.id)
        .bind(columns.name)
        .bind(columns.backend)
        .bind(columns.token_label)
        .bind(columns.token_serial)
        .bind(columns.label)
        .bind(columns.version)
        .bind(columns.check_value)
        .bind(columns.seal_key_profile)
        .bind(columns.seal_key)
        .bind(columns.created_at)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("enter a root key", "root key", &root_key.name))?;
        Ok(())
    }

    pub(super) async fn rotate_root_key(
        &self,
        connection: &mut SqliteConnection,
        root_key: &RootKey,
        superseded: &RootKeyVersion,
    ) -> Result<(), Error> {
        let key = self.keys.get(root_key.id)?;
        let mut columns = RootKeyColumns::of(root_key)?;
        columns.seal = columns.columns().seal(&key).to_vec();
        let rotated = sqlx::query(
            "UPDATE root_key SET label = ?, version = ?, check_value = ?, seal_key_profile = ?, seal_key = ?, \
             seal = ? WHERE id = ? AND version = ?",
        )
        .bind(columns.label)
        .bind(columns.version)
        .bind(columns.check_value)
        .bind(columns.seal_key_profile)
        .bind(columns.seal_key)
        .bind(columns.seal)
        .bind(columns.id)
        .bind(i64::from(superseded.version))
        .execute(&mut *connection)
        .await
        .map_err(Error::database("rotate a root key"))?;
        let id = format!("{} version {}", root_key.id, superseded.version);
        found(rotated.rows_affected(), "root key", &id)?;
        let mut columns = RootKeyVersionColumns::of(superseded)?;
        columns.seal = columns.columns().seal(&key).to_vec();
        sqlx::query(
            "INSERT INTO root_key_version (id, version, label, check_value, superseded_at, seal) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(columns.id)
        .bind(columns.version)
        .bind(columns.label)
        .bind(columns.check_value)
        .bind(columns.superseded_at)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken(
            "keep a version of a root key",
            "version of a root key",
            &id,
        ))?;
        Ok(())
    }

    pub(super) async fn create_adapter(
        &self,
        connection: &mut SqliteConnection,
        adapter: &Adapter,
    ) -> Result<(), Error> {
        const ROOT_KEY: &str = "SELECT * FROM root_key WHERE id = ?";
        let root_key = adapter.root_key;
        if within::<RootKeyColumns>(&mut *connection, ROOT_KEY, root_key.uuid(), &self.keys)
            .await?
            .is_none()
        {
            return Err(Error::NotFound {
                what: "root key",
                id: root_key.to_string(),
            });
        }
        let mut columns = AdapterColumns::of(adapter)?;
        columns.seal = columns.columns().seal(&*self.keys.get(root_key)?).to_vec();
        sqlx::query(
            "INSERT INTO adapter (id, name, description, root_key, created_at, seal) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(columns.id)
        .bind(columns.name)
        .bind(columns.description)
        .bind(columns.root_key)
        .bind(columns.created_at)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("enter an adapter", "adapter", &adapter.name))?;
        Ok(())
    }

    pub(super) async fn add_certificate(
        &mut self,
        connection: &mut SqliteConnection,
        certificate: &ClientCertificate,
    ) -> Result<(), Error> {
        let sealed_by = self.root_key_of(connection, certificate.adapter).await?;
        let known: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM client_certificate WHERE fingerprint = ?)")
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
             not_after, added_at, sealed_by, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        .bind(columns.sealed_by)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("add a certificate", "client certificate", &certificate.name))?;
        Ok(())
    }
}

pub(super) async fn delete_adapter(connection: &mut SqliteConnection, id: AdapterId) -> Result<(), Error> {
    let keys: i64 =
        sqlx::query_scalar("SELECT count(*) FROM managed_object WHERE adapter = ? AND wrapped IS NOT NULL")
            .bind(id.uuid())
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
        "DELETE FROM index_term WHERE ordinal IN (SELECT ordinal FROM managed_object WHERE adapter = ?)",
        "DELETE FROM managed_object WHERE adapter = ?",
        "DELETE FROM client_certificate WHERE adapter = ?",
    ] {
        sqlx::query(sql)
            .bind(id.uuid())
            .execute(&mut *connection)
            .await
            .map_err(Error::database("delete what an adapter has"))?;
    }
    let deleted = sqlx::query("DELETE FROM adapter WHERE id = ?")
        .bind(id.uuid())
        .execute(connection)
        .await
        .map_err(Error::database("delete an adapter"))?;
    found(deleted.rows_affected(), "adapter", &id)
}

pub(super) fn found(rows: u64, what: &'static str, id: &dyn std::fmt::Display) -> Result<(), Error> {
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
fn taken(doing: &'static str, what: &'static str, name: &str) -> impl FnOnce(sqlx::Error) -> Error {
    move |source| match &source {
        sqlx::Error::Database(error) if error.is_unique_violation() => Error::Exists {
            what,
            name: name.to_owned(),
        },
        _ => Error::Database { doing, source },
    }
}
