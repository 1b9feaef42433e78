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
    match request {
        Request::Create(request) => create::perform(item, request).await.map(Response::Create),
        Request::Register(request) => register::perform(item, request).await.map(Response::Register),
        Request::ReKey(request) => re_key::perform(item, request).await.map(Response::ReKey),
        Request::Locate(request) => locate::perform(item, request).await.map(Response::Locate),
        Request::Check(request) => check::perform(item, request).await.map(Response::Check),
        Request::Get(request) => get::perform(item, request).await.map(Response::Get),
        Request::Import(request) => import::perform(item, request).await.map(Response::Import),
        Request::Export(request) => export::perform(item, request).await.map(Response::Export),
        Request::GetAttributes(request) => get_attributes::perform(item, request)
            .await
            .map(Response::GetAttributes),
        Request::GetAttributeList(request) => get_attribute_list::perform(item, request)
            .await
            .map(Response::GetAttributeList),
        Request::AddAttribute(request) => add_attribute::perform(item, request)
            .await
            .map(Response::AddAttribute),
        Request::ModifyAttribute(request) => modify_attribute::perform(item, request)
            .await
            .map(Response::ModifyAttribute),
        Request::DeleteAttribute(request) => delete_attribute::perform(item, request)
            .await
            .map(Response::DeleteAttribute),
        Request::ObtainLease(request) => obtain_lease::perform(item, request)
            .await
            .map(Response::ObtainLease),
        Request::GetUsageAllocation(request) => get_usage_allocation::perform(item, request)
            .await
            .map(Response::GetUsageAllocation),
        Request::Activate(request) => activate::perform(item, request).await.map(Response::Activate),
        Request::Revoke(request) => revoke::perform(item, request).await.map(Response::Revoke),
        Request::Destroy(request) => destroy::perform(item, request).await.map(Response::Destroy),
        Request::Archive(request) => archive::perform(item, request).await.map(Response::Archive),
        Request::Recover(request) => recover::perform(item, request).await.map(Response::Recover),
        Request::Query(request) => query::perform(item, &request)
            .await
            .map(|answer| Response::Query(Box::new(answer))),
        Request::DiscoverVersions(request) => {
            Ok(Response::DiscoverVersions(discover_versions::perform(&request)))
        }
        Request::SetAttribute(request) => set_attribute::perform(item, request)
            .await
            .map(Response::SetAttribute),
        Request::AdjustAttribute(request) => adjust_attribute::perform(item, request)
            .await
            .map(Response::AdjustAttribute),
        Request::Log(request) => notice::log(item, &request).await.map(Response::Log),
        Request::Login(request) => login::login(item, &request).await.map(Response::Login),
        Request::Logout(request) => login::logout(item, &request).await.map(Response::Logout),
        Request::Cancel(request) => poll::cancel(item, &request).await.map(Response::Cancel),
        Request::Process(request) => poll::process(item, &request).await.map(Response::Process),
        Request::QueryAsynchronousRequests(request) => poll::query(item, &request)
            .await
            .map(Response::QueryAsynchronousRequests),
        Request::Interop(request) => notice::interop(item, &request).await.map(Response::Interop),
        Request::SetDefaults(request) => shaping::set_defaults(item, request)
            .await
            .map(Response::SetDefaults),
        Request::SetConstraints(request) => shaping::set_constraints(item, request)
            .await
            .map(Response::SetConstraints),
        Request::GetConstraints(_) => shaping::get_constraints(item).await.map(Response::GetConstraints),
        Request::Ping(ping) => Ok(Response::Ping(ping)),
        Request::DeriveKey(request) => derive_key::perform(item, request).await.map(Response::DeriveKey),
        Request::Encrypt(request) => encrypt::encrypt(item, request).await.map(Response::Encrypt),
        Request::Decrypt(request) => encrypt::decrypt(item, request).await.map(Response::Decrypt),
        Request::MAC(request) => mac::mac(item, request).await.map(Response::MAC),
        Request::MACVerify(request) => mac::verify(item, request).await.map(Response::MACVerify),
        Request::RNGRetrieve(request) => random::retrieve(item, request).await.map(Response::RNGRetrieve),
        Request::RNGSeed(request) => random::seed(item, request).await.map(Response::RNGSeed),
        Request::Hash(request) => hash::perform(item, request).await.map(Response::Hash),
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
