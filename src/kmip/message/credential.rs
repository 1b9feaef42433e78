//! Who the client says it is (KMIP 1.4, section 2.1.2).

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::kmip::enumeration::{AttestationType, CredentialType};
use crate::kmip::payload::Ticket;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer, structure_fields};

/// Who the client says it is.
#[derive(Debug)]
pub enum Credential<'a> {
    /// A user.
    UsernameAndPassword {
        /// Who.
        username: &'a str,
        /// What only the user knows.
        password: Option<Password>,
    },
    /// A device. Since 1.1.
    Device(Box<DeviceCredential<'a>>),
    /// A client whose state is vouched for. Since 1.2.
    Attestation(Box<AttestationCredential<'a>>),
    /// A login before. Since 2.0.
    Ticket(Ticket),
    /// A type of credential that this service does not know. Its content was not looked at.
    Other(OtherCredential<'a>),
}

/// A password. It is zeroised when it is dropped, and never shown.
pub struct Password(SecretString);

/// A device. At least one field is there.
#[derive(Debug, Default)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct DeviceCredential<'a> {
    pub device_serial_number: Option<&'a str>,
    pub password: Option<Password>,
    pub device_identifier: Option<&'a str>,
    pub network_identifier: Option<&'a str>,
    pub machine_identifier: Option<&'a str>,
    pub media_identifier: Option<&'a str>,
}

/// A client whose state is vouched for.
#[derive(Debug)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct AttestationCredential<'a> {
    pub nonce: Nonce<'a>,
    pub attestation_type: AttestationType,
    pub attestation_measurement: Option<&'a [u8]>,
    pub attestation_assertion: Option<&'a [u8]>,
}

/// What an attestation is bound to (section 2.1.14). Since 1.2.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct Nonce<'a> {
    pub nonce_id: &'a [u8],
    pub nonce_value: &'a [u8],
}

/// A credential whose content was not looked at.
pub struct OtherCredential<'a> {
    credential_type: CredentialType,
    items: &'a [u8],
}

impl Password {
    /// A password, from a place that the caller zeroises.
    pub fn new(password: &str) -> Self {
        Self(password.into())
    }

    /// The password, to be compared.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<password>")
    }
}

impl fmt::Debug for OtherCredential<'_> {
    /// Without the content, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherCredential")
            .field("credential_type", &self.credential_type)
            .finish_non_exhaustive()
    }
}

impl<'a> Field<'a> for Password {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.text(tag).map(Self::new)
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.text(tag, self.expose());
    }
}

structure_fields!(Nonce<'a> { nonce_id: NONCE_ID, nonce_value: NONCE_VALUE, });

structure_fields!(DeviceCredential<'a> {
    device_serial_number: DEVICE_SERIAL_NUMBER,
    password: PASSWORD,
    device_identifier: DEVICE_IDENTIFIER,
    network_identifier: NETWORK_IDENTIFIER,
    machine_identifier: MACHINE_IDENTIFIER,
    media_identifier: MEDIA_IDENTIFIER,
});

structure_fields!(AttestationCredential<'a> {
    nonce: NONCE,
    attestation_type: ATTESTATION_TYPE,
    attestation_measurement: ATTESTATION_MEASUREMENT,
    attestation_assertion: ATTESTATION_ASSERTION,
});

impl Credential<'_> {
    /// What kind of credential it is.
    pub fn credential_type(&self) -> CredentialType {
        match self {
            Self::UsernameAndPassword { .. } => CredentialType::UsernameAndPassword,
            Self::Device(_) => CredentialType::Device,
            Self::Attestation(_) => CredentialType::Attestation,
            Self::Ticket(_) => CredentialType::Ticket,
            Self::Other(other) => other.credential_type,
        }
    }
}

impl<'a> Field<'a> for Credential<'a> {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let value = Tag::CREDENTIAL_VALUE;
            match inner.enumeration(Tag::CREDENTIAL_TYPE)? {
                CredentialType::UsernameAndPassword => inner.structure(value, |inner| {
                    Ok(Self::UsernameAndPassword {
                        username: Field::read(inner, Tag::USERNAME)?,
                        password: Field::read(inner, Tag::PASSWORD)?,
                    })
                }),
                CredentialType::Device => {
                    Field::read(inner, value).map(|device| Self::Device(Box::new(device)))
                }
                CredentialType::Attestation => {
                    Field::read(inner, value).map(|attestation| Self::Attestation(Box::new(attestation)))
                }
                CredentialType::Ticket => {
                    inner.structure(value, |inner| Field::read(inner, Tag::TICKET).map(Self::Ticket))
                }
                credential_type => {
                    let items = inner.raw_structure(value)?;
                    Ok(Self::Other(OtherCredential {
                        credential_type,
                        items,
                    }))
                }
            }
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            let value = Tag::CREDENTIAL_VALUE;
            inner.enumeration(Tag::CREDENTIAL_TYPE, self.credential_type());
            match self {
                Self::UsernameAndPassword { username, password } => inner.structure(value, |inner| {
                    inner.field(Tag::USERNAME, username);
                    inner.field(Tag::PASSWORD, password);
                }),
                Self::Device(device) => device.write(inner, value),
                Self::Attestation(attestation) => attestation.write(inner, value),
                Self::Ticket(ticket) => {
                    inner.structure(value, |inner| ticket.write(inner, Tag::TICKET));
                }
                Self::Other(other) => inner.raw_structure(value, other.items),
            }
        });
    }
}
