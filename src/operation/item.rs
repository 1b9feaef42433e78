//! One batch item while it is worked on: who asks, when, which object, and what the record will say.

use uuid::Uuid;

use super::authentication::Authentication;
use super::earlier::{Earlier, Placeholder};
use super::loose::Loose;
use super::refusal::Refusal;
use super::renewal::Renewal;
use super::services::Services;
use super::undo::Staged;
use crate::adapter::{Caller, RootKey};
use crate::custody::{self, Event, ObjectFacts, Outcome, RootKeyFacts};
use crate::key::{ManagedObject, WrapProfile, WrappedKek};
use crate::kmip::ProtocolVersion;
use crate::kmip::attribute::AttributeValue;
use crate::kmip::enumeration::{CryptographicAlgorithm, Operation, State, UniqueIdentifierReference};
use crate::kmip::payload::{Data, UniqueIdentifier};
use crate::kmip::ttlv::{DateTime, Value};
use crate::recorder;
use crate::root_key::Pieces;
use crate::store::{self, Change, KeyRow, WrappedUnder};

/// How often a change is made anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 32;
/// The longest text from a client, in bytes, that a record repeats.
const RECORDED_TEXT: usize = 256;
/// The longest Unique Batch Item ID that a record repeats, in bytes; the rest is left out.
const RECORDED_ID: usize = 64;
/// How many custom attributes of an object a record repeats.
const RECORDED_ATTRIBUTES: usize = 16;

/// What an operation works with and tells the record.
pub(super) struct Item<'a> {
    pub(super) services: &'a Services,
    pub(super) caller: &'a Caller,
    pub(super) placeholder: &'a mut Placeholder,
    /// What the items before this one told.
    pub(super) earlier: &'a Earlier,
    /// Where the item's changes wait for those after it, in a batch that is carried out as a whole.
    pub(super) staged: Option<&'a Staged<'a>>,
    /// The user that the request shows, of those who share the certificate.
    pub(super) user: Option<&'a str>,
    /// What of that is proved.
    pub(super) authentication: Authentication,
    /// The version of the client's message.
    pub(super) version: ProtocolVersion,
    /// What lies in the key manager for it and may be named by no row in the end.
    pub(super) loose: Loose,
    /// What the backend wrapped anew when it released the object's value.
    pub(super) renewal: Option<Renewal>,
    /// What will be recorded of this item. Operations add to it what they learn.
    pub(super) event: Event,
}

impl<'a> Item<'a> {
    /// The data that the request brings or refers to.
    pub(super) fn data(&self, data: Data<'a>) -> Result<&'a [u8], Refusal> {
        match data {
            Data::Bytes(bytes) => Ok(bytes),
            Data::Reference(reference) => self.earlier.data_of(reference),
            Data::Position(position) => self.earlier.data_at(position),
        }
    }
}

impl Item<'_> {
    /// The time.
    pub(super) fn now(&self) -> DateTime {
        self.services.clock.now()
    }

    /// The object that the request means, of the caller's adapter and no other.
    pub(super) async fn object(&mut self, asked: Option<UniqueIdentifier<'_>>) -> Result<KeyRow, Refusal> {
        let id = self.meant(asked)?;
        self.row(id).await
    }

    /// The same, also where the object is archived.
    pub(super) async fn object_wherever(
        &mut self,
        asked: Option<UniqueIdentifier<'_>>,
    ) -> Result<KeyRow, Refusal> {
        let id = self.meant(asked)?;
        self.row_wherever(id).await
    }

    /// Changes the object that the request means, and records it in the same commit. `decide` is asked again, with the
    /// object as it is then, where somebody else changed it meanwhile.
    pub(super) async fn change<T>(
        &mut self,
        asked: Option<UniqueIdentifier<'_>>,
        mut decide: impl FnMut(&mut KeyRow, DateTime) -> Result<T, Refusal>,
    ) -> Result<(Uuid, T), Refusal> {
        let id = self.meant(asked)?;
        for _ in 0..ATTEMPTS {
            let mut row = self.row(id).await?;
            let value = decide(&mut row, self.now())?;
            self.becomes(&row.object);
            if self.commit(vec![Change::update_key(row)]).await? == Commit::Done {
                return Ok((id, value));
            }
        }
        Err(Refusal::busy())
    }

    /// Records the item, with its changes, as having succeeded. A revision that has moved is no error but an answer.
    pub(super) async fn commit(&self, changes: Vec<Change>) -> Result<Commit, Refusal> {
        if let Some(staged) = self.staged {
            staged.add(changes, self.event.clone());
            return Ok(Commit::Done);
        }
        let is_new = changes.iter().any(Change::is_of_new_key);
        match self.services.recorder.commit(changes, self.event.clone()).await {
            Ok(_) => Ok(Commit::Done),
            Err(recorder::Error::Conflict(_)) => Ok(Commit::Conflict),
            Err(error) => match error.store() {
                // Given by another server since it was looked whether it is free.
                Some(store::Error::NameTaken { name }) if !is_new => Err(Refusal::name_taken(name)),
                _ => Err(Refusal::of_recorder(&error)),
            },
        }
    }

    /// Records the item, which changes nothing, as having succeeded.
    pub(super) async fn record(&self) -> Result<(), Refusal> {
        match self.commit(Vec::new()).await? {
            Commit::Done => Ok(()),
            Commit::Conflict => Err(Refusal::busy()),
        }
    }

    /// Records that the item was refused, or failed. What the client hears is decided already, so that what goes wrong
    /// here can only be logged.
    pub(super) async fn record_refusal(mut self, refusal: &Refusal) {
        if let Some(tampered) = refusal.tampered() {
            self.services.report_tampered(self.caller, tampered).await;
        }
        self.event.outcome = refusal.outcome();
        self.event.reason = Some(refusal.for_the_record());
        self.event.device = refusal.device().cloned();
        if let Some(object) = &mut self.event.object {
            object.state_after = None;
        }
        if let Some(root_key) = &mut self.event.root_key {
            root_key.release_profile = None;
        }
        let (name, reason) = (self.event.name, refusal.for_the_record());
        let adapter = &self.caller.adapter_name;
        if self.event.outcome == Outcome::Failed {
            tracing::error!(event = %name, %adapter, %reason, "a request failed");
        } else {
            tracing::debug!(event = %name, %adapter, %reason, "a request was refused");
        }
        if let Err(error) = self.services.recorder.commit(Vec::new(), self.event).await {
            tracing::error!(event = %name, %error, "a refusal could not be recorded");
        }
    }

    /// A value was wrapped for an object that is not written yet: given up again where it never is.
    pub(super) fn made(&mut self, root_key: &RootKey, pieces: impl Into<Pieces>, wrapped: &WrappedKek) {
        self.loose.made(self.services, root_key, pieces.into(), wrapped);
    }

    /// The value of an object is named no more once the item is recorded, and is given up then.
    pub(super) async fn replaces(&mut self, object: &ManagedObject, wrapped: Option<&WrappedUnder>) {
        if let Some((pieces, wrapped)) = Pieces::of(object).zip(wrapped) {
            self.loose.replaced(self.services, pieces, wrapped).await;
        }
    }

    /// Tells the record which object it is about, as it is before the item changes it.
    pub(super) fn concerns(&mut self, row: &KeyRow) {
        let now = self.now();
        let mut facts = facts(&row.object);
        facts.state_before = row.object.state(now).and_then(State::name).map(Into::into);
        facts.row_sha256 = row.digest;
        self.event.object = Some(facts);
    }

    /// Tells the record what the object is when the item has changed it.
    pub(super) fn becomes(&mut self, object: &ManagedObject) {
        let now = self.now();
        let before = self.event.object.take().and_then(|before| before.state_before);
        let mut facts = facts(object);
        facts.state_before = before;
        facts.state_after = object.state(now).and_then(State::name).map(Into::into);
        self.event.object = Some(facts);
    }

    /// Tells the record which root key takes part, and how the key is wrapped under it.
    pub(super) fn uses(&mut self, root_key: &RootKey, version: u32, wrap_profile: Option<WrapProfile>) {
        self.event.root_key = Some(RootKeyFacts {
            id: root_key.id.uuid(),
            backend: root_key.backend.clone(),
            token_serial: root_key.token_serial.clone(),
            label: root_key.label.clone(),
            version,
            wrap_profile: wrap_profile.map(|profile| profile.name().to_owned()),
            release_profile: None,
        });
    }

    /// Tells the record how the key leaves the device.
    pub(super) fn leaves_by(&mut self, release_profile: &str) {
        if let Some(root_key) = &mut self.event.root_key {
            root_key.release_profile = Some(release_profile.to_owned());
        }
    }

    /// Tells the record one thing more.
    pub(super) fn detail(&mut self, name: &str, value: impl Into<String>) {
        self.event.details.insert(name.to_owned(), value.into());
    }

    /// Whether a stream is one of the key that the request names, if it names one.
    pub(super) fn is_key_of_stream(
        &mut self,
        asked: Option<UniqueIdentifier<'_>>,
        key: &str,
    ) -> Result<(), Refusal> {
        if asked.is_none() || self.meant(asked)?.hyphenated().to_string() == key {
            return Ok(());
        }
        Err(Refusal::key_of_another_stream())
    }

    /// The identifier that the request means. What is not even a UUID is not found either.
    pub(super) fn meant(&mut self, asked: Option<UniqueIdentifier<'_>>) -> Result<Uuid, Refusal> {
        let asked = match asked {
            None | Some(UniqueIdentifier::Reference(UniqueIdentifierReference::IDPlaceholder)) => {
                return match *self.placeholder {
                    Placeholder::Object(id) => Ok(id),
                    Placeholder::Empty | Placeholder::Unusable => Err(Refusal::no_identifier()),
                };
            }
            Some(UniqueIdentifier::Text(text)) => text,
            Some(UniqueIdentifier::Reference(reference)) => self.earlier.of(reference)?,
            Some(UniqueIdentifier::Position(position)) => self.earlier.at(position)?,
        };
        self.event.object = Some(ObjectFacts {
            identifier: shortened(asked),
            ..ObjectFacts::default()
        });
        // Only the form that identifiers are given in, not the others that UUIDs have.
        match asked.len() {
            36 => Uuid::parse_str(asked).map_err(|_| Refusal::not_found()),
            _ => Err(Refusal::not_found()),
        }
    }

    async fn row(&mut self, id: Uuid) -> Result<KeyRow, Refusal> {
        let row = self.row_wherever(id).await?;
        if row.object.is_archived() {
            return Err(Refusal::archived());
        }
        Ok(row)
    }

    async fn row_wherever(&mut self, id: Uuid) -> Result<KeyRow, Refusal> {
        let row = self.look_up(id).await?.ok_or_else(Refusal::not_found)?;
        self.concerns(&row);
        if row.object.is_reached_by(self.user) {
            Ok(row)
        } else {
            Err(Refusal::not_the_owner())
        }
    }

    /// Another object of the adapter that takes part; the record stays about the one that the item is about.
    pub(super) async fn another(&self, unique_identifier: &str) -> Result<Option<KeyRow>, Refusal> {
        match Uuid::parse_str(unique_identifier) {
            Ok(id) => {
                let row = self.look_up(id).await?;
                let row = row.filter(|row| row.object.is_reached_by(self.user));
                if row.as_ref().is_some_and(|row| row.object.is_archived()) {
                    return Err(Refusal::archived());
                }
                Ok(row)
            }
            Err(_) => Ok(None),
        }
    }

    /// The object that has an identifier which a client gives, where it may be replaced; none where the identifier is free.
    /// Who else has it is not told.
    pub(super) async fn replaceable(&mut self, id: Uuid, replace: bool) -> Result<Option<KeyRow>, Refusal> {
        match self.look_up(id).await? {
            Some(row) if replace && row.object.is_reached_by(self.user) => {
                self.concerns(&row);
                Ok(Some(row))
            }
            Some(_) => Err(Refusal::identifier_taken()),
            None => match self.services.store.is_taken(id).await {
                Ok(false) => Ok(None),
                Ok(true) => Err(Refusal::identifier_taken()),
                Err(error) => Err(Refusal::of_store(&error)),
            },
        }
    }

    async fn look_up(&self, id: Uuid) -> Result<Option<KeyRow>, Refusal> {
        if let Some(row) = self.staged.and_then(|staged| staged.row(id)) {
            return Ok(Some(row).filter(|row| !row.object.is_gone()));
        }
        let row = self.services.store.key(self.caller.adapter, id).await;
        let row = row.map_err(|error| Refusal::of_store(&error))?;
        Ok(row.filter(|row| !row.object.is_gone()))
    }
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Commit {
    /// Change and record are durable.
    Done,
    /// Somebody else changed the object since it was read; nothing was changed or recorded.
    Conflict,
}

/// What a record says of an object.
fn facts(object: &ManagedObject) -> ObjectFacts {
    let custom = object
        .custom_attributes()
        .filter_map(|value| match value {
            AttributeValue::Other {
                name,
                value: Value::TextString(text),
            } => Some((shortened(name), shortened(text))),
            _ => None,
        })
        .take(RECORDED_ATTRIBUTES);
    ObjectFacts {
        identifier: object.id().hyphenated().to_string(),
        object_type: object.object_type().name().map(Into::into),
        algorithm: object
            .algorithm()
            .and_then(CryptographicAlgorithm::name)
            .map(Into::into),
        length: object.length().and_then(|bits| u32::try_from(bits).ok()),
        attributes: custom.collect(),
        ..ObjectFacts::default()
    }
}

/// The text as a record repeats it.
pub(super) fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(RECORDED_TEXT);
    if end == text.len() {
        text.to_owned()
    } else {
        format!("{}…", &text[..end])
    }
}

/// What a request is called, by client and server.
#[derive(Clone, Copy, Default)]
pub(super) struct Ids<'a> {
    /// The item's Unique Batch Item ID.
    pub(super) batch_item: Option<&'a [u8]>,
    /// The client's correlation value.
    pub(super) client_correlation: Option<&'a str>,
    /// The server's correlation value.
    pub(super) server_correlation: Option<&'a str>,
}

/// The request's place in its batch, for the record.
pub(super) fn request_facts(
    operation: Operation,
    version: ProtocolVersion,
    position: usize,
    count: usize,
    ids: Ids<'_>,
) -> custody::RequestFacts {
    custody::RequestFacts {
        operation: operation.name().map_or_else(|| operation.to_string(), Into::into),
        protocol_version: version.to_string(),
        batch_position: u32::try_from(position + 1).unwrap_or(u32::MAX),
        batch_count: u32::try_from(count).unwrap_or(u32::MAX),
        batch_item_id: ids
            .batch_item
            .map(|id| hex::encode(&id[..id.len().min(RECORDED_ID)])),
        client_correlation: ids.client_correlation.map(shortened),
        server_correlation: ids.server_correlation.map(Into::into),
    }
}
