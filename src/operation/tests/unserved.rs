//! Operations that are not served: each is answered, cleanly, in each version that has it.

use super::server::{Server, decoded, encoded};
use crate::kmip::ProtocolVersion;
use crate::kmip::enumeration::{Operation, ResultReason, ResultStatus};
use crate::kmip::message::{RequestHeader, RequestItem, RequestMessage};
use crate::kmip::payload::{QueryRequest, RequestPayload};
use crate::kmip::version::{V1_0, V1_1, V1_2};
use crate::operation::Disposition;

/// What needs key pairs, certificates or split keys, or goes from the server to the client.
const UNSERVED: [(Operation, ProtocolVersion); 13] = [
    (Operation::CreateKeyPair, V1_0),
    (Operation::Certify, V1_0),
    (Operation::ReCertify, V1_0),
    (Operation::Validate, V1_0),
    (Operation::Notify, V1_0),
    (Operation::Put, V1_0),
    (Operation::ReKeyKeyPair, V1_1),
    (Operation::Sign, V1_2),
    (Operation::SignatureVerify, V1_2),
    (Operation::CreateSplitKey, V1_2),
    (Operation::JoinSplitKey, V1_2),
    (Operation::Other(0x8000_0001), V1_0),
    (Operation::Other(0x7FFF_FFFF), V1_0),
];

/// A message that asks for an operation, with a payload of another one.
fn asking(operation: Operation, version: ProtocolVersion) -> Vec<u8> {
    let query = RequestPayload::Query(QueryRequest::default());
    let mut message = encoded(&RequestMessage {
        header: RequestHeader::new(version),
        items: [RequestItem::new(query)].into_iter().collect(),
    });
    let item = [0x42, 0x00, 0x5C, 0x05, 0, 0, 0, 4];
    let place = message.windows(8).position(|bytes| bytes == item).unwrap() + 8;
    message[place..place + 4].copy_from_slice(&u32::from(operation).to_be_bytes());
    message
}

#[tokio::test]
async fn what_is_not_served_is_said_to_be_not_supported_and_the_connection_stays() {
    let server = Server::start().await;
    for (operation, since) in UNSERVED {
        for version in ProtocolVersion::SUPPORTED.iter().copied() {
            let (bytes, disposition) = server.bytes(&server.east, &asking(operation, version)).await;
            assert_eq!(disposition, Disposition::KeepOpen, "{operation} in {version}");
            let answer = decoded(bytes);
            assert_eq!(answer.header.protocol_version, version);
            let [item] = answer.items.as_slice() else {
                panic!("{operation} in {version}: {} items", answer.items.len());
            };
            assert_eq!(item.result_status, ResultStatus::OperationFailed);
            assert_eq!(
                item.result_reason,
                Some(ResultReason::OperationNotSupported),
                "{operation}, of {since}, in {version}"
            );
            assert_eq!(item.operation, Some(operation), "{version}");
        }
    }
    let last = server.records().await.pop().unwrap();
    assert_eq!(last.event, crate::custody::EventName::KmipUnsupported);
}
