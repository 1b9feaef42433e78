//! Object groups: fresh members are given once, the default member is each in turn.

use super::server::{Server, get};
use crate::kmip::attribute::{AttributePattern, AttributePatterns, AttributeValue};
use crate::kmip::enumeration::ObjectGroupMember;
use crate::kmip::payload::{LocateRequest, RequestPayload, ResponsePayload};

fn group() -> AttributeValue {
    AttributeValue::ObjectGroup("drives".into())
}

async fn member(server: &Server, which: ObjectGroupMember) -> Vec<String> {
    let request = RequestPayload::Locate(LocateRequest {
        maximum_items: Some(1),
        object_group_member: Some(which),
        attributes: AttributePatterns(vec![AttributePattern::equal_to(&group())]),
        ..LocateRequest::default()
    });
    match server.done(request).await {
        ResponsePayload::Locate(found) => found.unique_identifiers,
        other => panic!("{other:?}"),
    }
}

async fn three(server: &Server) -> Vec<String> {
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(server.create(vec![group().into()]).await);
    }
    members
}

#[tokio::test]
async fn a_fresh_member_is_given_once_and_then_the_group_is_used_up() {
    let server = Server::start().await;
    let members = three(&server).await;
    for expected in &members {
        assert_eq!(
            member(&server, ObjectGroupMember::GroupMemberFresh).await,
            [expected.as_str()]
        );
        server.done(get(expected)).await;
    }
    let left = member(&server, ObjectGroupMember::GroupMemberFresh).await;
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn the_default_member_is_each_in_turn() {
    let server = Server::start().await;
    let members = three(&server).await;
    for expected in members.iter().chain(&members) {
        assert_eq!(
            member(&server, ObjectGroupMember::GroupMemberDefault).await,
            [expected.as_str()]
        );
    }
}
