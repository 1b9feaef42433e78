//! The payloads of operations, requests and responses (KMIP 1.4, section 4). A file an operation, or a few that are
//! alike.
//!
//! Here belongs what a payload holds and its order on the wire. What an operation does belongs to `operation`.

mod archive;
mod asynchronous;
mod attributes;
mod check;
mod create;
mod data;
mod derive_key;
mod discover_versions;
mod empty;
mod encrypt;
mod export;
mod get;
mod hash;
mod identifier;
mod import;
mod life_cycle;
mod locate;
mod login;
mod mac;
mod notice;
mod query;
mod random;
mod re_key;
mod register;
mod set_attribute;
mod shaping;
mod usage;

pub use archive::{ArchiveRequest, ArchiveResponse, RecoverRequest, RecoverResponse};
pub use asynchronous::{
    AsynchronousCorrelationValues, AsynchronousRequest, CancelRequest, CancelResponse, Operations,
    PollRequest, ProcessRequest, QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse,
};
pub use attributes::{
    AddAttributeRequest, AddAttributeResponse, DeleteAttributeRequest, DeleteAttributeResponse,
    DeletedAttribute, GetAttributeListRequest, GetAttributeListResponse, GetAttributesRequest,
    GetAttributesResponse, ModifyAttributeRequest, ModifyAttributeResponse,
};
pub use check::{CheckRequest, CheckResponse};
pub use create::{CreateRequest, CreateResponse};
pub use data::{Data, ProducedData};
pub use derive_key::{DerivationParameters, DeriveKeyRequest, DeriveKeyResponse};
pub use discover_versions::{DiscoverVersionsRequest, DiscoverVersionsResponse};
pub use empty::EmptyPayload;
pub use encrypt::{DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse};
pub use export::{ExportRequest, ExportResponse};
pub use get::{GetRequest, GetResponse};
pub use hash::{HashRequest, HashResponse};
pub use identifier::UniqueIdentifier;
pub use import::{ImportRequest, ImportResponse};
pub use life_cycle::{
    ActivateRequest, ActivateResponse, DestroyRequest, DestroyResponse, RevokeRequest, RevokeResponse,
};
pub use locate::{LocateRequest, LocateResponse};
pub use login::{LoginRequest, LoginResponse, LogoutRequest, Ticket, TicketLease, TicketValue};
pub use mac::{MacRequest, MacResponse, MacVerifyRequest, MacVerifyResponse};
pub use notice::{InteropRequest, LogRequest};
pub use query::{
    CapabilityInformation, ExtensionInformation, ProfileInformation, ProfileVersion, QueryRequest,
    QueryResponse, ValidationInformation,
};
pub use random::{RngRetrieveRequest, RngRetrieveResponse, RngSeedRequest, RngSeedResponse};
pub use re_key::{ReKeyRequest, ReKeyResponse};
pub use register::{RegisterRequest, RegisterResponse};
pub use set_attribute::{
    AdjustAttributeRequest, AdjustAttributeResponse, SetAttributeRequest, SetAttributeResponse,
};
pub use shaping::{
    Constraint, Constraints, DefaultsInformation, GetConstraintsResponse, ObjectDefaults, ObjectGroups,
    ObjectTypes, ProtectionStorageMasks, SetConstraintsRequest, SetDefaultsRequest,
};
pub use usage::{
    GetUsageAllocationRequest, GetUsageAllocationResponse, ObtainLeaseRequest, ObtainLeaseResponse,
};

use std::fmt;

use super::enumeration::Operation;
use super::tag::Tag;
use super::ttlv::{DecodeError, Field, Reader, Writer};

/// Makes the enums of payloads out of one list of operations.
macro_rules! payloads {
    ($($operation:ident: $request:ty, $response:ty;)*) => {
        /// What a batch item asks.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "the variants are the operations")]
        pub enum RequestPayload<'a> {
            $($operation($request),)*
            /// Of an operation that this service does not have. Its content was not looked at.
            Other(OtherPayload<'a>),
        }

        /// What a batch item answers.
        #[derive(Debug)]
        #[allow(missing_docs, reason = "the variants are the operations")]
        pub enum ResponsePayload<'a> {
            $($operation($response),)*
            /// Of an operation that this service does not have. Its content was not looked at.
            Other(OtherPayload<'a>),
        }

        impl<'a> RequestPayload<'a> {
            /// The operation.
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$operation(_) => Operation::$operation,)*
                    Self::Other(other) => other.operation,
                }
            }

            pub(crate) fn read(reader: &mut Reader<'a, '_>, operation: Operation) -> Result<Self, DecodeError> {
                match operation {
                    $(Operation::$operation => {
                        Field::read(reader, Tag::REQUEST_PAYLOAD).map(Self::$operation)
                    })*
                    operation => {
                        let items = reader.raw_structure(Tag::REQUEST_PAYLOAD)?;
                        Ok(Self::Other(OtherPayload { operation, items }))
                    }
                }
            }

            pub(crate) fn write(&self, writer: &mut Writer<'_>) {
                match self {
                    $(Self::$operation(payload) => payload.write(writer, Tag::REQUEST_PAYLOAD),)*
                    Self::Other(other) => writer.raw_structure(Tag::REQUEST_PAYLOAD, other.items),
                }
            }
        }

        impl<'a> ResponsePayload<'a> {
            /// The operation.
            pub fn operation(&self) -> Operation {
                match self {
                    $(Self::$operation(_) => Operation::$operation,)*
                    Self::Other(other) => other.operation,
                }
            }

            pub(crate) fn read(reader: &mut Reader<'a, '_>, operation: Operation) -> Result<Self, DecodeError> {
                match operation {
                    $(Operation::$operation => {
                        Field::read(reader, Tag::RESPONSE_PAYLOAD).map(Self::$operation)
                    })*
                    operation => {
                        let items = reader.raw_structure(Tag::RESPONSE_PAYLOAD)?;
                        Ok(Self::Other(OtherPayload { operation, items }))
                    }
                }
            }

            pub(crate) fn write(&self, writer: &mut Writer<'_>) {
                match self {
                    $(Self::$operation(payload) => payload.write(writer, Tag::RESPONSE_PAYLOAD),)*
                    Self::Other(other) => writer.raw_structure(Tag::RESPONSE_PAYLOAD, other.items),
                }
            }
        }

        /// The operations whose payloads are understood here, in the order of their numbers.
        pub const OPERATIONS: &[Operation] = &[$(Operation::$operation),*];
    };
}

payloads! {
    Create: CreateRequest, CreateResponse;
    Register: RegisterRequest<'a>, RegisterResponse;
    ReKey: ReKeyRequest<'a>, ReKeyResponse;
    DeriveKey: DeriveKeyRequest<'a>, DeriveKeyResponse;
    Locate: LocateRequest, LocateResponse;
    Check: CheckRequest<'a>, CheckResponse;
    Get: GetRequest<'a>, GetResponse<'a>;
    GetAttributes: GetAttributesRequest<'a>, GetAttributesResponse;
    GetAttributeList: GetAttributeListRequest<'a>, GetAttributeListResponse;
    AddAttribute: AddAttributeRequest<'a>, AddAttributeResponse;
    ModifyAttribute: ModifyAttributeRequest<'a>, ModifyAttributeResponse;
    DeleteAttribute: DeleteAttributeRequest<'a>, DeleteAttributeResponse;
    ObtainLease: ObtainLeaseRequest<'a>, ObtainLeaseResponse;
    GetUsageAllocation: GetUsageAllocationRequest<'a>, GetUsageAllocationResponse;
    Activate: ActivateRequest<'a>, ActivateResponse;
    Revoke: RevokeRequest<'a>, RevokeResponse;
    Destroy: DestroyRequest<'a>, DestroyResponse;
    Archive: ArchiveRequest<'a>, ArchiveResponse;
    Recover: RecoverRequest<'a>, RecoverResponse;
    Query: QueryRequest, Box<QueryResponse>;
    Cancel: CancelRequest<'a>, CancelResponse;
    Poll: PollRequest<'a>, EmptyPayload;
    DiscoverVersions: DiscoverVersionsRequest, DiscoverVersionsResponse;
    Encrypt: EncryptRequest<'a>, EncryptResponse;
    Decrypt: DecryptRequest<'a>, DecryptResponse;
    MAC: MacRequest<'a>, MacResponse;
    MACVerify: MacVerifyRequest<'a>, MacVerifyResponse;
    RNGRetrieve: RngRetrieveRequest, RngRetrieveResponse;
    RNGSeed: RngSeedRequest<'a>, RngSeedResponse;
    Hash: HashRequest<'a>, HashResponse;
    Import: ImportRequest<'a>, ImportResponse;
    Export: ExportRequest<'a>, ExportResponse<'a>;
    Log: LogRequest<'a>, EmptyPayload;
    Login: LoginRequest, LoginResponse;
    Logout: LogoutRequest, EmptyPayload;
    AdjustAttribute: AdjustAttributeRequest<'a>, AdjustAttributeResponse;
    SetAttribute: SetAttributeRequest<'a>, SetAttributeResponse;
    Interop: InteropRequest<'a>, EmptyPayload;
    SetDefaults: SetDefaultsRequest, EmptyPayload;
    SetConstraints: SetConstraintsRequest, EmptyPayload;
    GetConstraints: EmptyPayload, GetConstraintsResponse;
    QueryAsynchronousRequests: QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse;
    Process: ProcessRequest<'a>, EmptyPayload;
    Ping: EmptyPayload, EmptyPayload;
}

impl ResponsePayload<'_> {
    /// The data that it gives, to which later items of the batch can refer; where it gives any.
    pub fn data(&self) -> Option<&[u8]> {
        match self {
            Self::Encrypt(payload) => payload.data.as_deref(),
            Self::Decrypt(payload) => payload.data.as_deref(),
            Self::MAC(payload) => payload.mac_data.as_deref(),
            Self::Hash(payload) => payload.data.as_deref(),
            Self::RNGRetrieve(payload) => Some(&payload.data),
            _ => None,
        }
    }

    /// The Unique Identifiers that it tells, in their order.
    pub fn unique_identifiers(&self) -> Vec<&str> {
        let id = match self {
            Self::Create(payload) => &payload.unique_identifier,
            Self::Register(payload) => &payload.unique_identifier,
            Self::ReKey(payload) => &payload.unique_identifier,
            Self::Get(payload) => &payload.unique_identifier,
            Self::Import(payload) => &payload.unique_identifier,
            Self::Export(payload) => &payload.unique_identifier,
            Self::GetAttributes(payload) => &payload.unique_identifier,
            Self::GetAttributeList(payload) => &payload.unique_identifier,
            Self::AddAttribute(payload) => &payload.unique_identifier,
            Self::ModifyAttribute(payload) => &payload.unique_identifier,
            Self::DeleteAttribute(payload) => &payload.unique_identifier,
            Self::ObtainLease(payload) => &payload.unique_identifier,
            Self::GetUsageAllocation(payload) => &payload.unique_identifier,
            Self::Archive(payload) => &payload.unique_identifier,
            Self::Recover(payload) => &payload.unique_identifier,
            Self::Activate(payload) => &payload.unique_identifier,
            Self::Revoke(payload) => &payload.unique_identifier,
            Self::Destroy(payload) => &payload.unique_identifier,
            Self::DeriveKey(payload) => &payload.unique_identifier,
            Self::Encrypt(payload) => &payload.unique_identifier,
            Self::Decrypt(payload) => &payload.unique_identifier,
            Self::MAC(payload) => &payload.unique_identifier,
            Self::MACVerify(payload) => &payload.unique_identifier,
            Self::Locate(payload) => {
                return payload.unique_identifiers.iter().map(String::as_str).collect();
            }
            Self::Check(payload) => return payload.unique_identifier.as_deref().into_iter().collect(),
            Self::SetAttribute(payload) => &payload.unique_identifier,
            Self::AdjustAttribute(payload) => &payload.unique_identifier,
            Self::Query(_)
            | Self::DiscoverVersions(_)
            | Self::Cancel(_)
            | Self::Poll(_)
            | Self::QueryAsynchronousRequests(_)
            | Self::Process(_)
            | Self::Log(_)
            | Self::Login(_)
            | Self::Logout(_)
            | Self::Interop(_)
            | Self::SetDefaults(_)
            | Self::SetConstraints(_)
            | Self::GetConstraints(_)
            | Self::Ping(_)
            | Self::RNGRetrieve(_)
            | Self::RNGSeed(_)
            | Self::Hash(_)
            | Self::Other(_) => return Vec::new(),
        };
        vec![id]
    }
}

/// A payload whose content was not looked at.
pub struct OtherPayload<'a> {
    operation: Operation,
    items: &'a [u8],
}

impl fmt::Debug for OtherPayload<'_> {
    /// Without the content, which may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherPayload")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}
