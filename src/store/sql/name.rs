//! Names are unique in an adapter (KMIP 1.4, section 3.2). Whoever gives one has looked whether it is free; that no other server has
//! given it meanwhile is seen to in the commit.

use std::collections::BTreeSet;

use crate::adapter::AdapterId;
use crate::key::{IndexTerm, ManagedObject};
use crate::kmip::attribute::{AttributeValue, Name};
use crate::store::index::term;
use crate::store::table::{KeyColumns, Sealed};
use crate::store::{Error, KeyRow};

use super::change::Changes;
use super::dialect::Connection;
use super::read::columns;

/// A name that an object is given.
pub(super) struct Given {
    adapter: AdapterId,
    ordinal: i64,
    name: Name,
    term: [u8; 16],
}

/// The names that a row gives its object which the index does not have of it. A destroyed object has none any more.
pub(super) fn given(row: &KeyRow, ordinal: i64, present: &BTreeSet<Vec<u8>>) -> Vec<Given> {
    if row.object.is_destroyed() {
        return Vec::new();
    }
    let adapter = AdapterId::from(row.object.adapter());
    let names = row.object.names().into_iter();
    let given = names.filter_map(|name| {
        let indexed = IndexTerm::of(&AttributeValue::Name(name.clone()))?;
        let term = term(adapter.uuid(), &indexed);
        (!present.contains(&term[..])).then_some(Given {
            adapter,
            ordinal,
            name,
            term,
        })
    });
    given.collect()
}

impl Changes {
    /// Sees to it that these names are no other object's: now, or, where other changes of the commit may yet take one from its
    /// object, once all are made.
    pub(super) async fn give_names(
        &mut self,
        connection: &mut Connection,
        given: Vec<Given>,
    ) -> Result<(), Error> {
        if self.names_wait {
            self.given.extend(given);
            return Ok(());
        }
        for given in &given {
            self.require_free(connection, given).await?;
        }
        Ok(())
    }

    /// Sees to the names that waited.
    pub(super) async fn settle_names(&mut self, connection: &mut Connection) -> Result<(), Error> {
        for given in std::mem::take(&mut self.given) {
            self.require_free(connection, &given).await?;
        }
        Ok(())
    }

    async fn require_free(&self, connection: &mut Connection, given: &Given) -> Result<(), Error> {
        let rows = sqlx::query(
            "SELECT managed_object.* FROM index_term JOIN managed_object ON managed_object.ordinal = index_term.ordinal \
             WHERE index_term.term = $1 AND index_term.ordinal <> $2",
        )
        .bind(given.term.to_vec())
        .bind(given.ordinal)
        .fetch_all(connection)
        .await
        .map_err(Error::database("look for a name"))?;
        for row in &rows {
            let other = columns::<KeyColumns>(row)?.open(&self.keys)?.object;
            if has(&other, given) {
                return Err(Error::NameTaken {
                    name: given.name.clone(),
                });
            }
        }
        Ok(())
    }
}

fn has(other: &ManagedObject, given: &Given) -> bool {
    other.adapter() == given.adapter.uuid() && !other.is_destroyed() && other.names().contains(&given.name)
}
