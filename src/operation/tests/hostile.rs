//! Whatever comes, one response goes out.

use proptest::prelude::*;

use super::server::{Server, create, decoded, encoded, get};
use crate::kmip::enumeration::ResultStatus;
use crate::kmip::message::{RequestHeader, RequestItem, RequestMessage};
use crate::kmip::payload::{LocateRequest, QueryRequest, RequestPayload};
use crate::kmip::version::V1_1;

/// Messages to be spoilt.
fn seeds() -> Vec<Vec<u8>> {
    let batch = |payloads: Vec<RequestPayload<'_>>| {
        let items = payloads.into_iter().map(|payload| RequestItem {
            unique_batch_item_id: Some(b"QLKC"),
            ..RequestItem::new(payload)
        });
        encoded(&RequestMessage {
            header: RequestHeader::new(V1_1),
            items: items.collect(),
        })
    };
    vec![
        batch(vec![create(vec![])]),
        batch(vec![get("01234567-89ab-7def-8123-456789abcdef")]),
        batch(vec![
            RequestPayload::Locate(LocateRequest::default()),
            RequestPayload::Query(QueryRequest {
                query_functions: vec![crate::kmip::enumeration::QueryFunction::QueryOperations],
                object_groups: None,
            }),
        ]),
    ]
}

/// A change of some bytes, or a cut.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (0..3_usize, changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(seed, changes, end, cut)| {
            let mut bytes = seeds().swap_remove(seed);
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if cut {
                let end = end.index(bytes.len());
                bytes.truncate(end);
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_spoilt_message_is_answered(messages in prop::collection::vec(spoilt(), 24)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = Server::start().await;
            for message in messages {
                let (response, _) = server.bytes(&server.east, &message).await;
                let response = decoded(response);
                assert!(!response.items.is_empty());
                for item in response.items {
                    let failed = item.result_status != ResultStatus::Success;
                    assert_eq!(failed, item.result_reason.is_some());
                }
            }
        });
    }
}
