//! Which file carries out an operation, and how the custody log calls it.

use super::item::Item;
use super::refusal::Refusal;
use super::{
    activate, add_attribute, adjust_attribute, archive, check, create, delete_attribute, derive_key, destroy,
    discover_versions, encrypt, export, get, get_attribute_list, get_attributes, get_usage_allocation, hash,
    import, locate, login, mac, modify_attribute, notice, obtain_lease, poll, query, random, re_key, recover,
    register, revoke, set_attribute, shaping,
};
use crate::custody::EventName;
use crate::kmip::ProtocolVersion;
use crate::kmip::enumeration::{Enumeration, Operation};
use crate::kmip::payload::{RequestPayload, ResponsePayload};

/// Carries out one operation.
pub(super) async fn perform(
    item: &mut Item<'_>,
    request: RequestPayload<'_>,
) -> Result<ResponsePayload<'static>, Refusal> {
    use RequestPayload as Request;
    use ResponsePayload as Response;
    let operation = request.operation();
    /// In a place of its own: otherwise the room that the largest takes is moved about with every request.
    macro_rules! carry_out {
        ($response:ident, $work:expr) => {
            Box::pin($work).await.map(Response::$response)
        };
    }
    match request {
        Request::Create(request) => carry_out!(Create, create::perform(item, request)),
        Request::Register(request) => carry_out!(Register, register::perform(item, request)),
        Request::ReKey(request) => carry_out!(ReKey, re_key::perform(item, request)),
        Request::Locate(request) => carry_out!(Locate, locate::perform(item, request)),
        Request::Check(request) => carry_out!(Check, check::perform(item, request)),
        Request::Get(request) => carry_out!(Get, get::perform(item, request)),
        Request::Import(request) => carry_out!(Import, import::perform(item, request)),
        Request::Export(request) => carry_out!(Export, export::perform(item, request)),
        Request::GetAttributes(request) => carry_out!(GetAttributes, get_attributes::perform(item, request)),
        Request::GetAttributeList(request) => {
            carry_out!(GetAttributeList, get_attribute_list::perform(item, request))
        }
        Request::AddAttribute(request) => carry_out!(AddAttribute, add_attribute::perform(item, request)),
        Request::ModifyAttribute(request) => {
            carry_out!(ModifyAttribute, modify_attribute::perform(item, request))
        }
        Request::DeleteAttribute(request) => {
            carry_out!(DeleteAttribute, delete_attribute::perform(item, request))
        }
        Request::ObtainLease(request) => carry_out!(ObtainLease, obtain_lease::perform(item, request)),
        Request::GetUsageAllocation(request) => {
            carry_out!(GetUsageAllocation, get_usage_allocation::perform(item, request))
        }
        Request::Activate(request) => carry_out!(Activate, activate::perform(item, request)),
        Request::Revoke(request) => carry_out!(Revoke, revoke::perform(item, request)),
        Request::Destroy(request) => carry_out!(Destroy, destroy::perform(item, request)),
        Request::Archive(request) => carry_out!(Archive, archive::perform(item, request)),
        Request::Recover(request) => carry_out!(Recover, recover::perform(item, request)),
        Request::Query(request) => Box::pin(query::perform(item, &request))
            .await
            .map(|answer| Response::Query(Box::new(answer))),
        Request::DiscoverVersions(request) => {
            Ok(Response::DiscoverVersions(discover_versions::perform(&request)))
        }
        Request::SetAttribute(request) => carry_out!(SetAttribute, set_attribute::perform(item, request)),
        Request::AdjustAttribute(request) => {
            carry_out!(AdjustAttribute, adjust_attribute::perform(item, request))
        }
        Request::Log(request) => carry_out!(Log, notice::log(item, &request)),
        Request::Login(request) => carry_out!(Login, login::login(item, &request)),
        Request::Logout(request) => carry_out!(Logout, login::logout(item, &request)),
        Request::Cancel(request) => carry_out!(Cancel, poll::cancel(item, &request)),
        Request::Process(request) => carry_out!(Process, poll::process(item, &request)),
        Request::QueryAsynchronousRequests(request) => {
            carry_out!(QueryAsynchronousRequests, poll::query(item, &request))
        }
        Request::Interop(request) => carry_out!(Interop, notice::interop(item, &request)),
        Request::SetDefaults(request) => carry_out!(SetDefaults, shaping::set_defaults(item, request)),
        Request::SetConstraints(request) => {
            carry_out!(SetConstraints, shaping::set_constraints(item, request))
        }
        Request::GetConstraints(_) => carry_out!(GetConstraints, shaping::get_constraints(item)),
        Request::Ping(ping) => Ok(Response::Ping(ping)),
        Request::DeriveKey(request) => carry_out!(DeriveKey, derive_key::perform(item, request)),
        Request::Encrypt(request) => carry_out!(Encrypt, encrypt::encrypt(item, request)),
        Request::Decrypt(request) => carry_out!(Decrypt, encrypt::decrypt(item, request)),
        Request::MAC(request) => carry_out!(MAC, mac::mac(item, request)),
        Request::MACVerify(request) => carry_out!(MACVerify, mac::verify(item, request)),
        Request::RNGRetrieve(request) => carry_out!(RNGRetrieve, random::retrieve(item, request)),
        Request::RNGSeed(request) => carry_out!(RNGSeed, random::seed(item, request)),
        Request::Hash(request) => carry_out!(Hash, hash::perform(item, request)),
        // A Poll is answered before this, with what it fetches; others are not done here.
        Request::Poll(_) | Request::Other(_) => Err(Refusal::operation(operation)),
    }
}

/// Whether an operation came with 2.0 or later, and after the version of the message. Those of 1.x are done in any version: who
/// asks for one knows it.
pub(super) fn is_later(operation: Operation, version: ProtocolVersion) -> bool {
    let facts = Operation::FACTS.by_value(operation.value());
    facts.is_some_and(|facts| facts.since.tags_attributes() && facts.since > version)
}

/// How the custody log calls an operation.
pub(super) const fn event_name(operation: Operation) -> EventName {
    match operation {
        Operation::Create => EventName::KmipCreate,
        Operation::Register => EventName::KmipRegister,
        Operation::ReKey => EventName::KmipReKey,
        Operation::Locate => EventName::KmipLocate,
        Operation::Check => EventName::KmipCheck,
        Operation::Get => EventName::KmipGet,
        Operation::Import => EventName::KmipImport,
        Operation::Export => EventName::KmipExport,
        Operation::GetAttributes => EventName::KmipGetAttributes,
        Operation::GetAttributeList => EventName::KmipGetAttributeList,
        Operation::AddAttribute => EventName::KmipAddAttribute,
        Operation::ModifyAttribute => EventName::KmipModifyAttribute,
        Operation::DeleteAttribute => EventName::KmipDeleteAttribute,
        Operation::ObtainLease => EventName::KmipObtainLease,
        Operation::GetUsageAllocation => EventName::KmipGetUsageAllocation,
        Operation::Archive => EventName::KmipArchive,
        Operation::Recover => EventName::KmipRecover,
        Operation::Activate => EventName::KmipActivate,
        Operation::Revoke => EventName::KmipRevoke,
        Operation::Destroy => EventName::KmipDestroy,
        Operation::Query => EventName::KmipQuery,
        Operation::DiscoverVersions => EventName::KmipDiscoverVersions,
        Operation::SetAttribute => EventName::KmipSetAttribute,
        Operation::AdjustAttribute => EventName::KmipAdjustAttribute,
        Operation::Log => EventName::KmipLog,
        Operation::Login => EventName::KmipLogin,
        Operation::Logout => EventName::KmipLogout,
        Operation::Cancel => EventName::KmipCancel,
        Operation::Poll => EventName::KmipPoll,
        Operation::Process => EventName::KmipProcess,
        Operation::QueryAsynchronousRequests => EventName::KmipQueryAsynchronousRequests,
        Operation::Interop => EventName::KmipInterop,
        Operation::SetDefaults => EventName::KmipSetDefaults,
        Operation::SetConstraints => EventName::KmipSetConstraints,
        Operation::GetConstraints => EventName::KmipGetConstraints,
        Operation::Ping => EventName::KmipPing,
        Operation::DeriveKey => EventName::KmipDeriveKey,
        Operation::Encrypt => EventName::KmipEncrypt,
        Operation::Decrypt => EventName::KmipDecrypt,
        Operation::MAC => EventName::KmipMac,
        Operation::MACVerify => EventName::KmipMacVerify,
        Operation::RNGRetrieve => EventName::KmipRngRetrieve,
        Operation::RNGSeed => EventName::KmipRngSeed,
        Operation::Hash => EventName::KmipHash,
        _ => EventName::KmipUnsupported,
    }
}
