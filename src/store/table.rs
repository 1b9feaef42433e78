//! The sealed tables: their columns as a database gives them, and the way from columns to values and back.
//!
//! One function a table lists the columns that are sealed, for reading and writing alike. What a database gives is
//! raw: bytes of any length, numbers of any size. It becomes a value only after the seal was verified.

use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::adapter::{Adapter, AdapterId, ClientCertificate, Fingerprint, RootKey, RootKeyId, WrappedBytes};
use crate::key::{ManagedObject, WrapProfile, WrappedKek};

use super::seal::Columns;
use super::{Error, KeyRow, SealKeys, UnverifiedRootKey, WrappedUnder};

/// A row of a sealed table.
pub(super) trait Sealed: Sized {
    /// The table.
    const TABLE: &'static str;
    /// What a good row stands for.
    type Value;

    /// The identifier, for messages.
    fn shown_id(&self) -> String;
    /// The root key whose seal key the row is sealed with.
    fn sealed_by(&self) -> &[u8];
    /// All columns but the seal.
    fn columns(&self) -> Columns;
    /// The seal.
    fn seal(&self) -> &[u8];
    /// The value of columns whose seal is good. An error says what does not fit.
    fn value(self, columns: &Columns) -> Result<Self::Value, String>;

    /// Verifies the seal, then makes the value.
    fn open(self, keys: &SealKeys) -> Result<Self::Value, Error> {
        let id = self.shown_id();
        let tampered = |what| Error::Tampered {
            table: Self::TABLE,
            id: id.clone(),
            what,
        };
        let root_key = RootKeyId::from(uuid(self.sealed_by(), "the root key").map_err(tampered)?);
        let columns = self.columns();
        columns.verify(&*keys.get(root_key)?, self.seal(), &id)?;
        self.value(&columns).map_err(tampered)
    }
}

#[derive(FromRow)]
pub(super) struct KeyColumns {
    pub(super) ordinal: i64,
    pub(super) id: Vec<u8>,
    pub(super) adapter: Vec<u8>,
    pub(super) root_key: Option<Vec<u8>>,
    pub(super) root_key_version: Option<i64>,
    pub(super) wrap_profile: Option<String>,
    pub(super) revision: i64,
    pub(super) sealed_by: Vec<u8>,
    pub(super) seal: Vec<u8>,
    pub(super) wrapped: Option<Vec<u8>>,
    pub(super) document: String,
}

impl KeyColumns {
    /// The columns of a row that is to be written, without a seal.
    pub(super) fn of(row: &KeyRow, ordinal: i64, revision: i64, sealed_by: RootKeyId) -> Result<Self, Error> {
        let document = serde_json::to_string(&row.object).map_err(|error| Error::Unfit {
            what: "the object",
            why: error.to_string(),
        })?;
        let wrapped = row.wrapped.as_ref();
        Ok(Self {
            ordinal,
            id: row.object.id().as_bytes().to_vec(),
            adapter: row.object.adapter().as_bytes().to_vec(),
            root_key: wrapped.map(|wrapped| wrapped.root_key.uuid().as_bytes().to_vec()),
            root_key_version: wrapped.map(|wrapped| wrapped.version.into()),
            wrap_profile: wrapped.map(|wrapped| wrapped.kek.profile.to_string()),
            revision,
            sealed_by: sealed_by.uuid().as_bytes().to_vec(),
            seal: Vec::new(),
            wrapped: wrapped.map(|wrapped| wrapped.kek.bytes.clone()),
            document,
        })
    }

    /// Whether the row claims, in its column or in its document, to be of this adapter. Where it does not, it is none of
    /// that adapter's business, and nothing is said of it.
    pub(super) fn claims(&self, adapter: AdapterId) -> bool {
        self.adapter == adapter.uuid().as_bytes()
            || serde_json::from_str::<ManagedObject>(&self.document)
                .is_ok_and(|object| object.adapter() == adapter.uuid())
    }
}

impl Sealed for KeyColumns {
    const TABLE: &'static str = "managed_object";
    type Value = KeyRow;

    fn shown_id(&self) -> String {
        shown(&self.id)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.sealed_by
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .integer(self.ordinal)
            .blob(&self.id)
            .blob(&self.adapter)
            .optional(self.root_key.as_deref(), Columns::blob)
            .optional(self.root_key_version, Columns::integer)
            .optional(self.wrap_profile.as_deref(), Columns::text)
            .integer(self.revision)
            .blob(&self.sealed_by)
            .optional(self.wrapped.as_deref(), Columns::blob)
            .text(&self.document)
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, columns: &Columns) -> Result<KeyRow, String> {
        let object: ManagedObject = serde_json::from_str(&self.document)
            .map_err(|error| format!("its document cannot be read: {error}"))?;
        if object.id() != uuid(&self.id, "the identifier")? {
            return Err(format!("its document is that of {}", object.id()));
        }
        if object.adapter() != uuid(&self.adapter, "the adapter")? {
            return Err(format!("its document is of adapter {}", object.adapter()));
        }
        let wrapped = match (
            self.root_key,
            self.root_key_version,
            self.wrap_profile,
            self.wrapped,
        ) {
            (Some(root_key), Some(version), Some(profile), Some(bytes)) => Some(WrappedUnder {
                root_key: uuid(&root_key, "the root key")?.into(),
                version: number(version, "the root key's version")?,
                kek: WrappedKek {
                    profile: profile
                        .parse::<WrapProfile>()
                        .map_err(|error| error.to_string())?,
                    bytes,
                },
            }),
            (None, None, None, None) => None,
            _ => return Err("of the columns of its wrapped key, some are there and some are not".into()),
        };
        Ok(KeyRow {
            object,
            wrapped,
            revision: number(self.revision, "the revision")?,
            digest: Some(columns.digest()),
            ordinal: number(self.ordinal, "the ordinal")?,
        })
    }
}

#[derive(FromRow)]
pub(super) struct RootKeyColumns {
    pub(super) id: Vec<u8>,
    pub(super) name: String,
    pub(super) backend: String,
    pub(super) token_label: String,
    pub(super) token_serial: String,
    pub(super) label: String,
    pub(super) version: i64,
    pub(super) check_value: Vec<u8>,
    pub(super) seal_key_profile: String,
    pub(super) seal_key: Vec<u8>,
    pub(super) created_at: i64,
    pub(super) seal: Vec<u8>,
}

impl RootKeyColumns {
    pub(super) fn of(root_key: &RootKey) -> Result<Self, Error> {
        Ok(Self {
            id: root_key.id.uuid().as_bytes().to_vec(),
            name: root_key.name.clone(),
            backend: root_key.backend.clone(),
            token_label: root_key.token_label.clone(),
            token_serial: root_key.token_serial.clone(),
            label: root_key.label.clone(),
            version: root_key.version.into(),
            check_value: root_key.check_value.clone(),
            seal_key_profile: root_key.seal_key.profile.clone(),
            seal_key: root_key.seal_key.bytes.clone(),
            created_at: microseconds(root_key.created_at)?,
            seal: Vec::new(),
        })
    }

    /// What a start needs of it before the seal key is open.
    pub(super) fn unverified(self) -> Result<UnverifiedRootKey, Error> {
        let (id, seal) = (self.shown_id(), self.seal.clone());
        let columns = self.columns();
        match self.value(&columns) {
            Ok(claimed) => Ok(UnverifiedRootKey {
                claimed,
                columns,
                seal,
            }),
            Err(what) => Err(Error::Tampered {
                table: Self::TABLE,
                id,
                what,
            }),
        }
    }
}

impl Sealed for RootKeyColumns {
    const TABLE: &'static str = "root_key";
    type Value = RootKey;

    fn shown_id(&self) -> String {
        shown(&self.id)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.id
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .blob(&self.id)
            .text(&self.name)
            .text(&self.backend)
            .text(&self.token_label)
            .text(&self.token_serial)
            .text(&self.label)
            .integer(self.version)
            .blob(&self.check_value)
            .text(&self.seal_key_profile)
            .blob(&self.seal_key)
            .integer(self.created_at)
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<RootKey, String> {
        Ok(RootKey {
            id: uuid(&self.id, "the identifier")?.into(),
            name: self.name,
            backend: self.backend,
            token_label: self.token_label,
            token_serial: self.token_serial,
            label: self.label,
            version: number(self.version, "the version")?,
            check_value: self.check_value,
            seal_key: WrappedBytes {
                profile: self.seal_key_profile,
                bytes: self.seal_key,
            },
            created_at: moment(self.created_at)?,
        })
    }
}

#[derive(FromRow)]
pub(super) struct AdapterColumns {
    pub(super) id: Vec<u8>,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) root_key: Vec<u8>,
    pub(super) created_at: i64,
    pub(super) seal: Vec<u8>,
}

impl AdapterColumns {
    pub(super) fn of(adapter: &Adapter) -> Result<Self, Error> {
        Ok(Self {
            id: adapter.id.uuid().as_bytes().to_vec(),
            name: adapter.name.clone(),
            description: adapter.description.clone(),
            root_key: adapter.root_key.uuid().as_bytes().to_vec(),
            created_at: microseconds(adapter.created_at)?,
            seal: Vec::new(),
        })
    }
}

impl Sealed for AdapterColumns {
    const TABLE: &'static str = "adapter";
    type Value = Adapter;

    fn shown_id(&self) -> String {
        shown(&self.id)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.root_key
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .blob(&self.id)
            .text(&self.name)
            .text(&self.description)
            .blob(&self.root_key)
            .integer(self.created_at)
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<Adapter, String> {
        Ok(Adapter {
            id: uuid(&self.id, "the identifier")?.into(),
            name: self.name,
            description: self.description,
            root_key: uuid(&self.root_key, "the root key")?.into(),
            created_at: moment(self.created_at)?,
        })
    }
}

#[derive(FromRow)]
pub(super) struct CertificateColumns {
    pub(super) fingerprint: Vec<u8>,
    pub(super) adapter: Vec<u8>,
    pub(super) name: String,
    pub(super) der: Vec<u8>,
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) serial: String,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) added_at: i64,
    pub(super) sealed_by: Vec<u8>,
    pub(super) seal: Vec<u8>,
}

impl CertificateColumns {
    pub(super) fn of(certificate: &ClientCertificate, sealed_by: RootKeyId) -> Result<Self, Error> {
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
        })
    }
}

fn shown(id: &[u8]) -> String {
    Uuid::from_slice(id).map_or_else(|_| hex::encode(id), |id| id.to_string())
}

fn uuid(bytes: &[u8], what: &str) -> Result<Uuid, String> {
    Uuid::from_slice(bytes).map_err(|_| format!("{what} has {} bytes and not 16", bytes.len()))
}

fn number<T: TryFrom<i64>>(value: i64, what: &str) -> Result<T, String> {
    T::try_from(value).map_err(|_| format!("{what} is {value}"))
}

/// A time as a column has it.
pub(super) fn microseconds(time: OffsetDateTime) -> Result<i64, Error> {
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).map_err(|_| Error::Unfit {
        what: "a time",
        why: format!("{time} is out of range"),
    })
}

fn moment(microseconds: i64) -> Result<OffsetDateTime, String> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1000)
        .map_err(|_| format!("{microseconds} is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::Adapter;
    use crate::store::suite::fixture::{THEN, certificate, row, seal_key};

    fn adapter() -> Adapter {
        Adapter::new("east", "", RootKeyId::new(), THEN).unwrap()
    }

    fn keys(adapter: &Adapter) -> SealKeys {
        let keys = SealKeys::new();
        keys.insert(adapter.root_key, seal_key(1));
        keys
    }

    fn tampered(result: Result<impl Sized, Error>) -> String {
        match result.err() {
            Some(Error::Tampered { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }

    type Change<'a> = (&'a str, Box<dyn Fn(&mut KeyColumns) + 'a>);

    /// A row that this server would never write, with a good seal: as after a defect of our own.
    #[test]
    fn a_row_whose_columns_and_document_disagree_is_refused_in_spite_of_its_seal() {
        let adapter = adapter();
        let other = row(&adapter, &[]);
        let changes: Vec<Change<'_>> = vec![
            (
                "is that of",
                Box::new(|columns| columns.id = other.object.id().as_bytes().to_vec()),
            ),
            (
                "is of adapter",
                Box::new(|columns| columns.adapter = Uuid::now_v7().as_bytes().to_vec()),
            ),
            (
                "cannot be read",
                Box::new(|columns| columns.document = "{}".into()),
            ),
            ("some are not", Box::new(|columns| columns.wrapped = None)),
            (
                "no wrap profile",
                Box::new(|columns| columns.wrap_profile = Some("rot13".into())),
            ),
            (
                "version is -1",
                Box::new(|columns| columns.root_key_version = Some(-1)),
            ),
            ("revision is -1", Box::new(|columns| columns.revision = -1)),
        ];
        for (expected, change) in changes {
            let mut columns = KeyColumns::of(&row(&adapter, &[]), 1, 1, adapter.root_key).unwrap();
            change(&mut columns);
            columns.seal = columns.columns().seal(&seal_key(1)).to_vec();
            let what = tampered(columns.open(&keys(&adapter)));
            assert!(what.contains(expected), "{what}");
        }
    }

    #[test]
    fn a_certificate_under_another_fingerprint_is_refused_in_spite_of_its_seal() {
        let adapter = adapter();
        let mut columns =
            CertificateColumns::of(&certificate(adapter.id, "vcenter"), adapter.root_key).unwrap();
        columns.fingerprint = vec![0; 32];
        columns.seal = columns.columns().seal(&seal_key(1)).to_vec();
        assert!(tampered(columns.open(&keys(&adapter))).contains("its certificate has the fingerprint"));
    }

    #[test]
    fn bytes_cannot_be_moved_from_one_column_to_the_next() {
        let sealed =
            |first: &str, second: &str| Columns::of("adapter").text(first).text(second).seal(&seal_key(1));
        assert_ne!(sealed("ab", "c"), sealed("a", "bc"));
        assert_ne!(sealed("", "abc"), sealed("abc", ""));
        let empty = Columns::of("adapter").optional(Some(&b""[..]), Columns::blob);
        let null = Columns::of("adapter").optional(None::<&[u8]>, Columns::blob);
        assert_ne!(empty.seal(&seal_key(1)), null.seal(&seal_key(1)));
        assert_ne!(
            Columns::of("adapter").seal(&seal_key(1)),
            Columns::of("root_key").seal(&seal_key(1))
        );
    }
}
