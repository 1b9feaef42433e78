//! What vCenter 7 and ESXi say, in their order.

use super::server::{Server, create, encoded, get, material};
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, AttributeValue};
use crate::kmip::enumeration::{
    CryptographicAlgorithm, KeyFormatType, QueryFunction, ResultReason, ResultStatus, State,
};
use crate::kmip::message::{RequestHeader, RequestItem, RequestMessage, ResponseItem};
use crate::kmip::object::Object;
use crate::kmip::payload::{
    ActivateRequest, AddAttributeRequest, DiscoverVersionsRequest, GetAttributesRequest, GetRequest,
    QueryRequest, RequestPayload, ResponsePayload,
};
use crate::kmip::version::V1_1;

/// vCenter's name of the item at a place in a batch, counted from 1.
fn item_id(number: u8) -> [u8; 8] {
    [0x51, 0x4c, 0x4b, 0x43, number, 0, 0, 0]
}

impl Server {
    /// Sends a batch as vCenter does, and expects each name of an item back to the byte.
    async fn vcenter(&self, payloads: Vec<RequestPayload<'_>>) -> Vec<ResponseItem<'static>> {
        let ids: Vec<_> = (1..).take(payloads.len()).map(item_id).collect();
        let items = payloads.into_iter().zip(&ids).map(|(payload, id)| RequestItem {
            unique_batch_item_id: Some(id),
            ..RequestItem::new(payload)
        });
        let request = RequestMessage {
            header: RequestHeader::new(V1_1),
            items: items.collect(),
        };
        let response = self.message(&self.east, &request).await;
        assert_eq!(response.header.protocol_version, V1_1);
        assert_eq!(response.items.len(), ids.len());
        for (item, id) in response.items.iter().zip(&ids) {
            assert_eq!(item.unique_batch_item_id.as_deref(), Some(&id[..]));
        }
        response.items
    }

    async fn vcenter_gets_attribute(&self, id: &str, name: &str) -> Vec<Attribute> {
        let request = RequestPayload::GetAttributes(GetAttributesRequest {
            unique_identifier: Some(id.into()),
            attribute_names: vec![AttributeName::from_text(name)],
        });
        match self.vcenter(vec![request]).await.pop().unwrap().payload {
            Some(ResponsePayload::GetAttributes(got)) => {
                assert_eq!(got.unique_identifier, id);
                got.attributes.0
            }
            other => panic!("{other:?}"),
        }
    }
}

fn attribute<'a>(id: &'a str, name: &str, value: &str) -> RequestPayload<'a> {
    RequestPayload::AddAttribute(AddAttributeRequest {
        unique_identifier: Some(id.into()),
        attribute: Attribute::custom_text(name, value),
    })
}

fn discover() -> RequestPayload<'static> {
    RequestPayload::DiscoverVersions(DiscoverVersionsRequest::default())
}

#[tokio::test]
async fn vcenter_trusts_the_provider_and_encrypts_a_virtual_machine() {
    let server = Server::start().await;

    // Trust: versions without a name of the item, then with Query.
    let first = RequestMessage {
        header: RequestHeader::new(V1_1),
        items: vec![RequestItem::new(discover())].into(),
    };
    let answer = server.message(&server.east, &first).await;
    assert!(answer.items[0].unique_batch_item_id.is_none());
    let query = RequestPayload::Query(QueryRequest {
        query_functions: vec![QueryFunction::QueryServerInformation],
        object_groups: None,
    });
    let answers = server.vcenter(vec![discover(), query]).await;
    assert!(
        answers
            .iter()
            .all(|item| item.result_status == ResultStatus::Success)
    );

    // Connection 1.
    let made = server.vcenter(vec![create(Vec::new())]).await.pop().unwrap();
    let Some(ResponsePayload::Create(made)) = made.payload else {
        panic!("{made:?}");
    };
    let id = made.unique_identifier;

    // Connection 2: attributes that are not there are no error; three are added in one batch.
    let product = [
        ("x-Product_Version", "7.0.3 build-19480866"),
        ("x-Vendor", "VMware, Inc."),
        ("x-Product", "VMware vSphere"),
    ];
    for (name, _) in product {
        assert_eq!(server.vcenter_gets_attribute(&id, name).await, []);
    }
    let batch = product.map(|(name, value)| attribute(&id, name, value)).into();
    for (item, (name, value)) in server.vcenter(batch).await.into_iter().zip(product) {
        let Some(ResponsePayload::AddAttribute(added)) = item.payload else {
            panic!("{item:?}");
        };
        assert_eq!(added.attribute, Some(Attribute::custom_text(name, value)));
    }

    // Connection 3: the key, its state, and its activation.
    let got = server.vcenter(vec![get(&id)]).await.pop().unwrap();
    let Some(ResponsePayload::Get(got)) = got.payload else {
        panic!("{got:?}");
    };
    let Object::SymmetricKey(block) = &got.object else {
        panic!("{got:?}");
    };
    assert_eq!(block.key_format_type, KeyFormatType::Raw);
    assert_eq!(block.cryptographic_algorithm, Some(CryptographicAlgorithm::AES));
    assert_eq!(block.cryptographic_length, Some(256));
    let key = material(&got.object);
    assert_eq!(key.len(), 32);
    assert_eq!(
        server.vcenter_gets_attribute(&id, "State").await,
        [AttributeValue::State(State::PreActive).into()]
    );
    let activate = RequestPayload::Activate(ActivateRequest {
        unique_identifier: Some(id.as_str().into()),
    });
    let activated = server.vcenter(vec![activate]).await.pop().unwrap();
    assert_eq!(activated.result_status, ResultStatus::Success);

    // Connection 4: names from administrators, in any script.
    let names = [
        ("x-Identifier", "502a8b5e-6e1c-9d1d-4f1b-3c7a7f0f1a2b"),
        ("x-Component", "Virtual Machine"),
        ("x-Name", "Büro-Server 数据库 №1 🔐  (копия)"),
    ];
    let batch = names.map(|(name, value)| attribute(&id, name, value)).into();
    assert_eq!(server.vcenter(batch).await.len(), 3);

    // A host that reboots fetches the same key, from another address.
    let mut host = server.east.clone();
    host.origin.address = [10, 0, 0, 17].into();
    let request = RequestMessage {
        header: RequestHeader::new(V1_1),
        items: vec![RequestItem::new(get(&id))].into(),
    };
    let fetched = server.message(&host, &request).await.items.pop().unwrap();
    let Some(ResponsePayload::Get(fetched)) = fetched.payload else {
        panic!("{fetched:?}");
    };
    assert_eq!(material(&fetched.object), key);
    assert_eq!(
        server.vcenter_gets_attribute(&id, "State").await,
        [AttributeValue::State(State::Active).into()]
    );
    for (name, value) in product.into_iter().chain(names) {
        assert_eq!(
            server.vcenter_gets_attribute(&id, name).await,
            [Attribute::custom_text(name, value)]
        );
    }
}

#[tokio::test]
async fn an_answer_in_1_1_says_nothing_that_1_1_does_not_know() {
    let server = Server::start().await;
    let id = server.create(Vec::new()).await;
    let all = RequestPayload::GetAttributes(GetAttributesRequest {
        unique_identifier: Some(id.as_str().into()),
        attribute_names: Vec::new(),
    });
    let item = server.vcenter(vec![all]).await.pop().unwrap();
    let Some(ResponsePayload::GetAttributes(got)) = item.payload else {
        panic!("{item:?}");
    };
    let names: Vec<_> = got.attributes.iter().map(Attribute::name).collect();
    assert!(names.contains(&AttributeKind::Fresh.into()));
    for later in [
        AttributeKind::Sensitive,
        AttributeKind::OriginalCreationDate,
        AttributeKind::RandomNumberGenerator,
    ] {
        assert!(!names.contains(&later.into()), "{later}");
    }
}

#[tokio::test]
async fn a_sensitive_key_is_refused_to_vcenter_with_a_reason_that_it_knows() {
    let server = Server::start().await;
    let id = server.create(vec![AttributeValue::Sensitive(true).into()]).await;
    let refused = server.vcenter(vec![get(&id)]).await.pop().unwrap();
    assert_eq!(refused.result_reason, Some(ResultReason::PermissionDenied));
}

#[tokio::test]
async fn a_get_needs_nothing_but_the_identifier() {
    let server = Server::start().await;
    let id = server.create(Vec::new()).await;
    let request = RequestMessage {
        header: RequestHeader::new(V1_1),
        items: vec![RequestItem::new(RequestPayload::Get(GetRequest {
            unique_identifier: Some(id.as_str().into()),
            ..GetRequest::default()
        }))]
        .into(),
    };
    let (response, _) = server.bytes(&server.east, &encoded(&request)).await;
    // The key's bytes are there once, in their place.
    let key = server.get(&id).await;
    let places = response
        .windows(key.len())
        .filter(|window| *window == key)
        .count();
    assert_eq!(places, 1);
}
