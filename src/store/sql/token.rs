//! Access tokens.

use uuid::Uuid;

use crate::adapter::AccessToken;
use crate::store::Error;
use crate::store::table::{Sealed, TokenColumns};

use super::change::Changes;
use super::dialect::Connection;
use super::identity::{found, taken};

impl Changes {
    pub(in crate::store) async fn create_access_token(
        &mut self,
        connection: &mut Connection,
        token: &AccessToken,
    ) -> Result<(), Error> {
        self.require_enabled(&mut *connection, token.sealed_by).await?;
        let mut columns = TokenColumns::of(token)?;
        columns.seal = columns.columns().seal(&*self.keys.get(token.sealed_by)?).to_vec();
        sqlx::query(
            "INSERT INTO access_token (id, name, secret_sha256, role, adapters, created_at, created_by, expires_at, \
             sealed_by, seal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(columns.id)
        .bind(columns.name)
        .bind(columns.secret_sha256)
        .bind(columns.role)
        .bind(columns.adapters)
        .bind(columns.created_at)
        .bind(columns.created_by)
        .bind(columns.expires_at)
        .bind(columns.sealed_by)
        .bind(columns.seal)
        .execute(connection)
        .await
        .map_err(taken("enter an access token", "access token", &token.name))?;
        Ok(())
    }
}

pub(in crate::store) async fn delete_access_token(
    connection: &mut Connection,
    id: Uuid,
) -> Result<(), Error> {
    let deleted = sqlx::query("DELETE FROM access_token WHERE id = $1")
        .bind(id.as_bytes().to_vec())
        .execute(connection)
        .await
        .map_err(Error::database("delete an access token"))?;
    found(deleted.rows_affected(), "access token", &id)
}
