//! Reads of keys by their identifiers, gathered: whoever asks while others are being read is read with the next.
//!
//! A way to the database and back, across the network, costs more than the read itself. And a connection that goes back to its
//! pool is tried first, which is one more such way. So one task keeps a connection for as long as there is something to read.

use std::sync::LazyLock;
use std::time::Duration;

use sqlx::{AssertSqlSafe, FromRow as _, Row as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use crate::store::Error;
use crate::store::table::KeyColumns;

use super::dialect::{self, Connection, Pool};

/// How many keys one statement reads: the next of these that is enough. Each is prepared once a connection.
const SIZES: [usize; 4] = [1, 4, 16, 64];
const MOST: usize = SIZES[SIZES.len() - 1];
/// How many may wait to be asked for.
const WAITING: usize = 1024;
/// How long the connection is kept while nobody asks.
const KEPT: Duration = Duration::from_millis(200);

/// The way to the task that reads; it ends with the last of these, or with the pool.
pub(in crate::store) struct Lookup(mpsc::Sender<Asked>);

struct Asked {
    id: Uuid,
    /// Nothing is sent where the read failed.
    answer: oneshot::Sender<Option<KeyColumns>>,
}

impl Lookup {
    pub(in crate::store) fn start(readers: Pool) -> Self {
        let (asking, asked) = mpsc::channel(WAITING);
        tokio::spawn(serve(readers, asked));
        Self(asking)
    }

    /// The row of this identifier as it is after this was called, or that there is none. `None` where it could not be read
    /// together with others: whoever asks reads it alone then, and hears why that can't be done.
    pub(in crate::store) async fn find(&self, id: Uuid) -> Option<Option<KeyColumns>> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Asked { id, answer }).await.ok()?;
        answered.await.ok()
    }
}

async fn serve(readers: Pool, mut asked: mpsc::Receiver<Asked>) {
    let closed = readers.close_event();
    tokio::pin!(closed);
    let mut batch = Vec::with_capacity(MOST);
    loop {
        tokio::select! {
            number = asked.recv_many(&mut batch, MOST) => if number == 0 { return },
            () = &mut closed => return,
        }
        let Ok(mut connection) = readers.acquire().await else {
            batch.clear();
            continue;
        };
        // As long as somebody asks, on one connection.
        loop {
            let read = dialect::while_reached(&readers, read(&mut connection, &mut batch));
            if read.await.is_err() {
                batch.clear();
                connection.close_on_drop();
                break;
            }
            tokio::select! {
                more = timeout(KEPT, asked.recv_many(&mut batch, MOST)) => if !matches!(more, Ok(1..)) { break },
                () = &mut closed => return,
            }
        }
    }
}

/// Reads all of them in one statement, and answers.
async fn read(connection: &mut Connection, batch: &mut Vec<Asked>) -> Result<(), Error> {
    let place = SIZES.iter().position(|size| *size >= batch.len());
    let place = place.unwrap_or(SIZES.len() - 1);
    let mut query = sqlx::query(AssertSqlSafe(STATEMENTS[place].as_str()));
    // What is left of the places asks for the last once more.
    let last = batch.last().map(|asked| asked.id);
    let ids = batch.iter().map(|asked| asked.id).chain(last.into_iter().cycle());
    for id in ids.take(SIZES[place]) {
        query = query.bind(id.as_bytes().to_vec());
    }
    let failed = || Error::database("read keys");
    let rows = query.fetch_all(connection).await.map_err(failed())?;
    let ids = rows.iter().map(|row| row.try_get("id"));
    let ids = ids.collect::<Result<Vec<&[u8]>, _>>().map_err(failed())?;
    for Asked { id, answer } in batch.drain(..) {
        let found = ids.iter().position(|found| *found == id.as_bytes());
        // Whoever no longer waits does not hear it.
        let _ = match found.map(|place| KeyColumns::from_row(&rows[place])) {
            None => answer.send(None),
            Some(Ok(columns)) => answer.send(Some(columns)),
            // Read alone, it says what is wrong with it.
            Some(Err(_)) => continue,
        };
    }
    Ok(())
}

/// The statement of each of [`SIZES`].
static STATEMENTS: LazyLock<[String; SIZES.len()]> = LazyLock::new(|| {
    SIZES.map(|size| {
        let places: Vec<String> = (1..=size).map(|place| format!("${place}")).collect();
        format!("SELECT * FROM managed_object WHERE id IN ({})", places.join(", "))
    })
});
