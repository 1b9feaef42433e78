//! Payloads of what is done with keys over time, of operations that are put off, and of what came with 2.x.

use claviger::kmip::enumeration::{Operation, ProcessingStage};
use claviger::kmip::payload::{
    AdjustAttributeRequest, AdjustAttributeResponse, ArchiveRequest, ArchiveResponse,
    AsynchronousCorrelationValues, AsynchronousRequest, CancelRequest, CancelResponse, Constraint,
    Constraints, EmptyPayload, GetConstraintsResponse, GetUsageAllocationRequest, GetUsageAllocationResponse,
    InteropRequest, LogRequest, LoginRequest, LoginResponse, LogoutRequest, ObjectTypes, ObtainLeaseRequest,
    ObtainLeaseResponse, Operations, PollRequest, ProcessRequest, QueryAsynchronousRequestsRequest,
    QueryAsynchronousRequestsResponse, ReKeyRequest, ReKeyResponse, RecoverRequest, RecoverResponse,
    RequestPayload, ResponsePayload, SetAttributeRequest, SetAttributeResponse, SetConstraintsRequest,
    SetDefaultsRequest, Ticket, TicketLease, TicketValue,
};
use claviger::kmip::tag::Tag;
use claviger::kmip::version::V2_1;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::attributes::{attribute, attribute_name, attributes, template_attribute, usage_limits};
use super::items::simple_value;
use super::query::defaults;
use super::requests::{identifier, object_groups, storage_masks};
use super::{BYTES, IDENTIFIERS, Scope, bytes, date, one_of, text};

type Request = BoxedStrategy<RequestPayload<'static>>;
type Response = BoxedStrategy<ResponsePayload<'static>>;

fn correlation_value() -> impl Strategy<Value = &'static [u8]> {
    select(&BYTES[..])
}

/// The requests that every version has.
pub(super) fn requests(scope: Scope) -> Vec<Request> {
    use RequestPayload as P;
    let masks = scope.optional(Tag::PROTECTION_STORAGE_MASKS, storage_masks());
    let re_key = (
        identifier(scope),
        option::of(any::<u32>()),
        option::of(template_attribute(scope)),
        masks,
    )
        .prop_map(
            |(unique_identifier, offset, template_attribute, protection_storage_masks)| {
                P::ReKey(ReKeyRequest {
                    unique_identifier,
                    offset,
                    template_attribute,
                    protection_storage_masks,
                })
            },
        );
    let allocation = (identifier(scope), any::<i64>()).prop_map(|(unique_identifier, usage_limits_count)| {
        P::GetUsageAllocation(GetUsageAllocationRequest {
            unique_identifier,
            usage_limits_count,
        })
    });
    vec![
        re_key.boxed(),
        allocation.boxed(),
        identifier(scope)
            .prop_map(|unique_identifier| P::ObtainLease(ObtainLeaseRequest { unique_identifier }))
            .boxed(),
        identifier(scope)
            .prop_map(|unique_identifier| P::Archive(ArchiveRequest { unique_identifier }))
            .boxed(),
        identifier(scope)
            .prop_map(|unique_identifier| P::Recover(RecoverRequest { unique_identifier }))
            .boxed(),
        correlation_value()
            .prop_map(|asynchronous_correlation_value| {
                P::Poll(PollRequest {
                    asynchronous_correlation_value,
                })
            })
            .boxed(),
        correlation_value()
            .prop_map(|asynchronous_correlation_value| {
                P::Cancel(CancelRequest {
                    asynchronous_correlation_value,
                })
            })
            .boxed(),
    ]
}

/// The responses that every version has.
pub(super) fn responses(scope: Scope) -> Vec<Response> {
    use ResponsePayload as P;
    vec![
        (text(), option::of(template_attribute(scope)))
            .prop_map(|(unique_identifier, template_attribute)| {
                P::ReKey(ReKeyResponse {
                    unique_identifier,
                    template_attribute,
                })
            })
            .boxed(),
        text()
            .prop_map(|unique_identifier| {
                P::GetUsageAllocation(GetUsageAllocationResponse { unique_identifier })
            })
            .boxed(),
        (text(), any::<u32>(), date())
            .prop_map(|(unique_identifier, lease_time, last_change_date)| {
                P::ObtainLease(ObtainLeaseResponse {
                    unique_identifier,
                    lease_time,
                    last_change_date,
                })
            })
            .boxed(),
        text()
            .prop_map(|unique_identifier| P::Archive(ArchiveResponse { unique_identifier }))
            .boxed(),
        text()
            .prop_map(|unique_identifier| P::Recover(RecoverResponse { unique_identifier }))
            .boxed(),
        (bytes(), one_of(scope))
            .prop_map(|(asynchronous_correlation_value, cancellation_result)| {
                P::Cancel(CancelResponse {
                    asynchronous_correlation_value,
                    cancellation_result,
                })
            })
            .boxed(),
    ]
}

fn ticket(scope: Scope) -> impl Strategy<Value = Ticket> {
    (one_of(scope), bytes()).prop_map(|(ticket_type, value)| Ticket {
        ticket_type,
        ticket_value: TicketValue::new(value.into()),
    })
}

fn constraints(scope: Scope) -> impl Strategy<Value = Constraints> {
    let types = vec(one_of(scope), 0..3).prop_map(|object_types| ObjectTypes { object_types });
    let one = (
        option::of(types),
        option::of(object_groups()),
        attributes(scope).prop_map(|attributes| Some(attributes.into())),
    )
        .prop_map(|(object_types, object_groups, attributes)| Constraint {
            object_types,
            object_groups,
            attributes,
        });
    vec(one, 0..3).prop_map(|constraints| Constraints { constraints })
}

/// The requests that came with 2.x, of those that the version has.
pub(super) fn requests_of_2_x(scope: Scope) -> Vec<Request> {
    use RequestPayload as P;
    let lease = prop_oneof![
        any::<u32>().prop_map(TicketLease::For),
        date().prop_map(TicketLease::Until),
    ];
    let login = (
        option::of(lease),
        option::of(any::<i32>()),
        option::of(usage_limits(scope)),
    )
        .prop_map(|(lease_time, request_count, usage_limits)| {
            P::Login(LoginRequest {
                lease_time,
                request_count,
                usage_limits,
            })
        });
    let adjust = (
        identifier(scope),
        attribute_name(scope),
        one_of(scope),
        option::of(simple_value(scope)),
    )
        .prop_map(
            |(unique_identifier, attribute_name, adjustment_type, adjustment_value)| {
                P::AdjustAttribute(AdjustAttributeRequest {
                    unique_identifier,
                    attribute_name,
                    adjustment_type,
                    adjustment_value,
                })
            },
        );
    let mut requests = Vec::new();
    if scope.is_2_x() {
        requests = vec![
            login.boxed(),
            adjust.boxed(),
            ticket(scope)
                .prop_map(|ticket| P::Logout(LogoutRequest { ticket }))
                .boxed(),
            (identifier(scope), attribute(scope))
                .prop_map(|(unique_identifier, attribute)| {
                    P::SetAttribute(SetAttributeRequest {
                        unique_identifier,
                        attribute,
                    })
                })
                .boxed(),
            (one_of(scope), select(&IDENTIFIERS[..]))
                .prop_map(|(interop_function, interop_identifier)| {
                    P::Interop(InteropRequest {
                        interop_function,
                        interop_identifier,
                    })
                })
                .boxed(),
            select(&IDENTIFIERS[..])
                .prop_map(|log_message| P::Log(LogRequest { log_message }))
                .boxed(),
        ];
    }
    if scope.wire >= V2_1 {
        let values = vec(bytes(), 0..3).prop_map(|values| AsynchronousCorrelationValues { values });
        let operations =
            vec(one_of::<Operation>(scope), 0..3).prop_map(|operations| Operations { operations });
        requests.extend([
            option::of(defaults(scope))
                .prop_map(|defaults_information| P::SetDefaults(SetDefaultsRequest { defaults_information }))
                .boxed(),
            option::of(constraints(scope))
                .prop_map(|constraints| P::SetConstraints(SetConstraintsRequest { constraints }))
                .boxed(),
            (option::of(values), option::of(operations))
                .prop_map(|(asynchronous_correlation_values, operations)| {
                    P::QueryAsynchronousRequests(QueryAsynchronousRequestsRequest {
                        asynchronous_correlation_values,
                        operations,
                    })
                })
                .boxed(),
            correlation_value()
                .prop_map(|asynchronous_correlation_value| {
                    P::Process(ProcessRequest {
                        asynchronous_correlation_value,
                    })
                })
                .boxed(),
            Just(()).prop_map(|()| P::GetConstraints(EmptyPayload)).boxed(),
            Just(()).prop_map(|()| P::Ping(EmptyPayload)).boxed(),
        ]);
    }
    requests
}

/// The responses that came with 2.x, of those that the version has.
pub(super) fn responses_of_2_x(scope: Scope) -> Vec<Response> {
    use ResponsePayload as P;
    let mut responses = Vec::new();
    if scope.is_2_x() {
        responses = vec![
            ticket(scope)
                .prop_map(|ticket| P::Login(LoginResponse { ticket }))
                .boxed(),
            text()
                .prop_map(|unique_identifier| P::SetAttribute(SetAttributeResponse { unique_identifier }))
                .boxed(),
            text()
                .prop_map(|unique_identifier| {
                    P::AdjustAttribute(AdjustAttributeResponse { unique_identifier })
                })
                .boxed(),
            Just(()).prop_map(|()| P::Log(EmptyPayload)).boxed(),
        ];
    }
    if scope.wire >= V2_1 {
        let put_off = (
            bytes(),
            one_of::<Operation>(scope),
            any::<i64>(),
            one_of::<ProcessingStage>(scope),
        )
            .prop_map(
                |(asynchronous_correlation_value, operation, submission_date, processing_stage)| {
                    AsynchronousRequest {
                        asynchronous_correlation_value,
                        operation,
                        submission_date,
                        processing_stage,
                    }
                },
            );
        responses.extend([
            constraints(scope)
                .prop_map(|constraints| P::GetConstraints(GetConstraintsResponse { constraints }))
                .boxed(),
            vec(put_off, 0..3)
                .prop_map(|asynchronous_requests| {
                    P::QueryAsynchronousRequests(QueryAsynchronousRequestsResponse {
                        asynchronous_requests,
                    })
                })
                .boxed(),
            Just(()).prop_map(|()| P::Ping(EmptyPayload)).boxed(),
        ]);
    }
    responses
}
