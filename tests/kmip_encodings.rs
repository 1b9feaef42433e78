//! The XML and JSON encodings: what goes there and back, and what is no message.

#[path = "support/kmip_generators/mod.rs"]
mod generators;
#[path = "support/oasis.rs"]
mod oasis;

use claviger::kmip::message::RequestMessage;
use claviger::kmip::output::{Output, ZeroizingOutput};
use claviger::kmip::tag::Tag;
use claviger::kmip::ttlv::{self, DateTime, DecodeError, DecodeErrorKind, Item, Limits, Value};
use claviger::kmip::version::{ProtocolVersion, V1_4};
use claviger::kmip::{json, xml};
use oasis::Placeholders;
use proptest::prelude::*;
use proptest::sample::select;

type Read = fn(&[u8], &Limits, &mut dyn Output) -> Result<(), DecodeError>;
type Write = fn(&[u8], &mut dyn Output) -> Result<(), DecodeError>;

/// The two encodings, each with its name.
const ENCODINGS: [(&str, Read, Write); 2] =
    [("XML", xml::read, xml::write), ("JSON", json::read, json::write)];

fn read_with(read: Read, text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut out = ZeroizingOutput::new();
    read(text, &Limits::default(), &mut out).map(|()| out.as_slice().to_vec())
}

fn write_with(write: Write, ttlv: &[u8]) -> Result<String, DecodeError> {
    let mut out = ZeroizingOutput::new();
    write(ttlv, &mut out).map(|()| String::from_utf8(out.as_slice().to_vec()).expect("a text is UTF-8"))
}

fn bytes_of(item: &Item) -> Vec<u8> {
    let mut out = ZeroizingOutput::new();
    ttlv::encode(item, &mut out);
    out.as_slice().to_vec()
}

/// Says the message in both encodings and reads it back.
fn goes_there_and_back(bytes: &[u8]) {
    for (name, read, write) in ENCODINGS {
        let text = write_with(write, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let back = read_with(read, text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        assert_eq!(back, bytes, "{name}:\n{text}");
    }
}

proptest! {
    #[test]
    fn any_request_is_the_same_after_xml_and_after_json(
        request in select(&ProtocolVersion::SUPPORTED[..]).prop_flat_map(generators::request)
    ) {
        let mut out = ZeroizingOutput::new();
        request.encode(&mut out).expect("a generated request can be written");
        goes_there_and_back(out.as_slice());
    }

    #[test]
    fn any_response_is_the_same_after_xml_and_after_json(
        response in select(&ProtocolVersion::SUPPORTED[..]).prop_flat_map(generators::response)
    ) {
        let mut out = ZeroizingOutput::new();
        response.encode(&mut out).expect("a generated response can be written");
        goes_there_and_back(out.as_slice());
    }

    #[test]
    fn any_item_is_the_same_after_xml_and_after_json(item in generators::item()) {
        goes_there_and_back(&bytes_of(&Item::new(Tag::REQUEST_PAYLOAD, Value::Structure(vec![item]))));
    }

    #[test]
    fn any_text_is_the_same_after_json_and_after_xml_where_xml_can_say_it(text in any::<String>()) {
        let bytes = bytes_of(&Item::new(Tag::COMMENT, Value::TextString(text)));
        let written = write_with(json::write, &bytes).expect("JSON can say every text");
        prop_assert_eq!(&read_with(json::read, written.as_bytes()).expect("it was just written"), &bytes);
        match write_with(xml::write, &bytes) {
            Ok(written) => prop_assert_eq!(read_with(xml::read, written.as_bytes()).expect("it was just written"), bytes),
            Err(error) => prop_assert_eq!(error.kind(), &DecodeErrorKind::NotInXml),
        }
    }

    #[test]
    fn damaged_texts_are_survived(
        request in generators::request(V1_4),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut out = ZeroizingOutput::new();
        request.encode(&mut out).expect("a generated request can be written");
        for (_, read, write) in ENCODINGS {
            let mut text = write_with(write, out.as_slice()).expect("a request has no control characters").into_bytes();
            for (place, value) in &damage {
                let place = place.index(text.len());
                text[place] = *value;
            }
            let _ = read_with(read, &text);
        }
    }

    #[test]
    fn a_text_cut_short_anywhere_is_refused(request in generators::request(V1_4)) {
        let mut out = ZeroizingOutput::new();
        request.encode(&mut out).expect("a generated request can be written");
        for (name, read, write) in ENCODINGS {
            let text = write_with(write, out.as_slice()).expect("a request has no control characters");
            let text = text.trim_end().as_bytes();
            for end in (0..text.len()).step_by(7) {
                prop_assert!(read_with(read, &text[..end]).is_err(), "{}", name);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_message_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for (_, read, write) in ENCODINGS {
            let _ = read_with(read, &bytes);
            let _ = write_with(write, &bytes);
        }
    }
}

fn every_oasis_message_is_the_same_after_xml_and_after_json(version: &str) {
    let Some(folder) = oasis::folder() else { return };
    let placeholders = Placeholders {
        now: 1_700_000_000,
        ..Placeholders::default()
    };
    let mut count = 0;
    for file in oasis::files(&folder, version) {
        // A file that is not well-formed is told of where the messages themselves are tested.
        let Ok(case) = oasis::read(&file) else { continue };
        for message in case.messages {
            let bytes = message
                .to_bytes(&placeholders)
                .expect("a message of the test cases has bytes");
            goes_there_and_back(&bytes);
            count += 1;
        }
    }
    assert!(count > 100, "{count} messages");
}

#[test]
fn every_oasis_message_of_1_1_is_the_same_after_xml_and_after_json() {
    every_oasis_message_is_the_same_after_xml_and_after_json("1.1");
}

#[test]
fn every_oasis_message_of_2_1_is_the_same_after_xml_and_after_json() {
    every_oasis_message_is_the_same_after_xml_and_after_json("2.1");
}

#[test]
fn every_oasis_message_of_1_4_is_the_same_after_xml_and_after_json() {
    every_oasis_message_is_the_same_after_xml_and_after_json("1.4");
}

/// What the test cases' files say is read as it stands there: their placeholders alone are filled in.
fn every_oasis_message_is_read_from_its_own_xml(version: &str) {
    let Some(folder) = oasis::folder() else { return };
    let placeholders = Placeholders {
        now: 1_700_000_000,
        ..Placeholders::default()
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in oasis::files(&folder, version) {
        let Ok(case) = oasis::read(&file) else { continue };
        let text = without_comments(&std::fs::read_to_string(&file).expect("the file was read before"));
        for (position, (message, own)) in case.messages.iter().zip(messages_of(&text)).enumerate() {
            let expected = message
                .to_bytes(&placeholders)
                .expect("a message of the test cases has bytes");
            count += 1;
            match read_with(xml::read, filled_in(own).as_bytes()) {
                Ok(read) if read == expected => {}
                Ok(_) => wrong.push(format!("{} message {position} is read as another", case.name)),
                Err(error) => wrong.push(format!("{} message {position}: {error}", case.name)),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 100, "{count} messages");
}

/// The text without its comments, in which messages can stand.
fn without_comments(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        kept += before;
        rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
    }
    kept + rest
}

/// The texts of the messages in a file.
fn messages_of(text: &str) -> Vec<&str> {
    let mut messages = Vec::new();
    let mut rest = text;
    while let Some(start) = ["<RequestMessage", "<ResponseMessage"]
        .iter()
        .filter_map(|name| rest.find(name))
        .min()
    {
        let end = ["</RequestMessage>", "</ResponseMessage>"]
            .iter()
            .filter_map(|name| Some(rest[start..].find(name)? + start + name.len()))
            .min()
            .expect("a message has an end");
        messages.push(&rest[start..end]);
        rest = &rest[end..];
    }
    messages
}

/// The text with its placeholders filled in as [`Placeholders`] does, and the line breaks taken out that got into some
/// names.
fn filled_in(text: &str) -> String {
    let now = time::macros::datetime!(2023-11-14 22:13:20 UTC);
    let mut filled = String::new();
    for (place, part) in text.split('"').enumerate() {
        let is_value = place % 2 == 1;
        if place > 0 {
            filled.push('"');
        }
        let is_name = is_value
            && filled
                .rsplit('<')
                .next()
                .is_some_and(|element| element.starts_with("AttributeName"));
        let is_bytes = is_value
            && filled
                .rsplit('<')
                .next()
                .is_some_and(|element| element.contains("ByteString"));
        match part.strip_prefix("$NOW").filter(|_| is_value) {
            Some(offset) => {
                let seconds = offset.trim_start_matches('+').parse().unwrap_or(0);
                let moment = now + time::Duration::seconds(seconds);
                filled += &moment
                    .format(&time::format_description::well_known::Rfc3339)
                    .expect("a date");
            }
            None if is_name => filled += &part.split_whitespace().collect::<Vec<_>>().join(" "),
            None if is_bytes && part.starts_with('$') => filled += &hex::encode(part),
            None => filled += part,
        }
    }
    filled
}

#[test]
fn every_oasis_message_of_1_1_is_read_from_its_own_xml() {
    every_oasis_message_is_read_from_its_own_xml("1.1");
}

#[test]
fn every_oasis_message_of_2_1_is_read_from_its_own_xml() {
    every_oasis_message_is_read_from_its_own_xml("2.1");
}

#[test]
fn every_oasis_message_of_1_4_is_read_from_its_own_xml() {
    every_oasis_message_is_read_from_its_own_xml("1.4");
}

const QUERY_XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- What can it do? -->
<RequestMessage xmlns="urn:oasis:tc:kmip:xmlns">
  <RequestHeader>
    <ProtocolVersion>
      <ProtocolVersionMajor type="Integer" value="1"/>
      <ProtocolVersionMinor type="Integer" value="4"></ProtocolVersionMinor>
    </ProtocolVersion>
    <BatchCount type='Integer' value='1'/>
  </RequestHeader>
  <BatchItem>
    <Operation type="Enumeration" value="Query"/>
    <RequestPayload>
      <QueryFunction type="Enumeration" value="0x00000001"/>
    </RequestPayload>
  </BatchItem>
</RequestMessage>"#;

const QUERY_JSON: &str = r#"{"tag": "RequestMessage", "value": [
  {"tag": "RequestHeader", "value": [
    {"tag": "ProtocolVersion", "value": [
      {"tag": "ProtocolVersionMajor", "type": "Integer", "value": 1},
      {"value": "0x00000004", "type": "0x02", "tag": "0x42006B", "name": "Protocol Version Minor"}]},
    {"tag": "BatchCount", "type": "Integer", "value": 1}]},
  {"tag": "BatchItem", "value": [
    {"tag": "Operation", "type": "Enumeration", "value": "Query"},
    {"tag": "RequestPayload", "value": [
      {"tag": "QueryFunction", "type": "Enumeration", "value": "QueryOperations"}]}]}]}"#;

#[test]
fn a_query_is_the_same_message_however_it_is_written() {
    let from_xml = read_with(xml::read, QUERY_XML.as_bytes()).unwrap();
    let from_json = read_with(json::read, QUERY_JSON.as_bytes()).unwrap();
    assert_eq!(from_xml, from_json);
    let request = RequestMessage::decode(&from_xml, &Limits::default()).unwrap();
    assert_eq!(request.header.protocol_version, V1_4);
}

#[test]
fn a_message_is_written_as_the_profiles_have_it() {
    let item = Item::new(
        Tag::ATTRIBUTE,
        Value::Structure(vec![
            Item::new(
                Tag::ATTRIBUTE_NAME,
                Value::TextString("Cryptographic Usage Mask".to_owned()),
            ),
            Item::new(Tag::ATTRIBUTE_VALUE, Value::Integer(12)),
            Item::new(Tag::TIME_STAMP, Value::DateTime(DateTime(0x47DA_67F8))),
            Item::new(Tag::USAGE_LIMITS_TOTAL, Value::LongInteger(1 << 60)),
            Item::new(Tag::KEY_MATERIAL, Value::ByteString(vec![0xAB, 0x01])),
            Item::new(Tag::MODULUS, Value::BigInteger(vec![0, 0, 0, 0, 0, 0, 0, 3])),
            Item::new(
                Tag::new(0x54_0001),
                Value::Structure(vec![Item::new(
                    Tag::COMMENT,
                    Value::TextString("<a & \"b\">\n".to_owned()),
                )]),
            ),
        ]),
    );
    assert_eq!(
        write_with(xml::write, &bytes_of(&item)).unwrap(),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Attribute>
  <AttributeName type="TextString" value="Cryptographic Usage Mask"/>
  <AttributeValue type="Integer" value="Encrypt Decrypt"/>
  <TimeStamp type="DateTime" value="2008-03-14T11:56:40Z"/>
  <UsageLimitsTotal type="LongInteger" value="1152921504606846976"/>
  <KeyMaterial type="ByteString" value="ab01"/>
  <Modulus type="BigInteger" value="0000000000000003"/>
  <TTLV tag="0x540001">
    <Comment type="TextString" value="&lt;a &amp; &quot;b&quot;&gt;&#10;"/>
  </TTLV>
</Attribute>
"#
    );
    assert_eq!(
        write_with(json::write, &bytes_of(&item)).unwrap(),
        r#"{"tag":"Attribute","value":[
  {"tag":"AttributeName","type":"TextString","value":"Cryptographic Usage Mask"},
  {"tag":"AttributeValue","type":"Integer","value":"Encrypt|Decrypt"},
  {"tag":"TimeStamp","type":"DateTime","value":"2008-03-14T11:56:40Z"},
  {"tag":"UsageLimitsTotal","type":"LongInteger","value":"0x1000000000000000"},
  {"tag":"KeyMaterial","type":"ByteString","value":"ab01"},
  {"tag":"Modulus","type":"BigInteger","value":"0x0000000000000003"},
  {"tag":"0x540001","value":[
    {"tag":"Comment","type":"TextString","value":"<a & \"b\">\u000a"}
  ]}
]}
"#
    );
}

/// Texts that are no message, each with what is said of it.
const NO_XML: &[(&str, &str)] = &[
    (
        r#"<!DOCTYPE a [<!ENTITY b "bbbb">]><Comment type="TextString" value="&b;"/>"#,
        "a document type",
    ),
    (
        r#"<Comment type="TextString" value="&b;"/>"#,
        "a reference is none",
    ),
    (
        r#"<Comment type="TextString" value="&#0;"/>"#,
        "a reference is none",
    ),
    (
        "<Comment type=\"TextString\" value=\"\u{1}\"/>",
        "a control character",
    ),
    ("<Attribute>text</Attribute>", "text between"),
    ("<Attribute><![CDATA[x]]></Attribute>", "text between"),
    ("<Attribute></Comment>", "ends with another's name"),
    ("<Attribute/><Attribute/>", "more than one message"),
    (
        "<Comment type=\"TextString\" value=\"\"><Comment/></Comment>",
        "within a value",
    ),
    ("<Nothing/>", "there is no tag \"Nothing\""),
    ("<TTLV tag=\"0x010001\"/>", "a tag starts with 42 or 54"),
    (
        "<Operation type=\"Enumeration\" value=\"Fly\"/>",
        "no value \"Fly\"",
    ),
    ("<Attribute/ ", "not"),
    ("", "it ends"),
    ("\u{FEFF}", "it ends"),
];
const NO_JSON: &[(&str, &str)] = &[
    ("", "it ends"),
    ("[]", "an item is an object"),
    ("{}", "an item is an object"),
    (r#"{"tag":"Attribute","tag":"Attribute"}"#, "an item is an object"),
    (r#"{"tag":"Attribute","value":{}}"#, "an item is an object"),
    (r#"{"tag":"Attribute"} {}"#, "not well-formed"),
    (
        r#"{"tag":"Comment","type":"TextString","value":5}"#,
        "a text in quotes",
    ),
    (
        r#"{"tag":"Comment","type":"TextString","value":"\ud800"}"#,
        "an escape",
    ),
    (
        r#"{"tag":"Comment","type":"TextString","value":["x"]}"#,
        "a list or an object",
    ),
    (
        r#"{"tag":"BatchCount","type":"Integer","value":1.5}"#,
        "an Integer",
    ),
    (r#"{"tag":"BatchCount","type":"Integer"}"#, "no value"),
];

fn is_refused(read: Read, text: &str, why: &str) {
    let beginning = &text[..text.len().min(100)];
    let error = read_with(read, text.as_bytes()).expect_err(beginning);
    assert!(error.to_string().contains(why), "{error}\n{beginning}");
}

#[test]
fn a_text_that_is_no_message_is_refused_and_says_why() {
    for (text, why) in NO_XML {
        is_refused(xml::read, text, why);
    }
    for (text, why) in NO_JSON {
        is_refused(json::read, text, why);
    }
    for (_, read, _) in ENCODINGS {
        let large = vec![b' '; Limits::default().message_size + 1];
        assert!(matches!(
            read_with(read, &large).unwrap_err().kind(),
            DecodeErrorKind::TooLarge { .. }
        ));
        assert!(
            read_with(read, &[0xFF, 0xFE, b'<', 0])
                .unwrap_err()
                .to_string()
                .contains("UTF-8")
        );
    }
}

#[test]
fn a_text_that_would_take_much_is_refused_at_its_limit() {
    is_refused(xml::read, &"<Attribute>".repeat(90_000), "nested deeper than 32");
    let deep = format!(
        "{}{}",
        r#"{"tag":"Attribute","value":["#.repeat(10_000),
        "]}".repeat(10_000)
    );
    is_refused(json::read, &deep, "nested deeper than 32");
    let flat = format!(
        r#"{{"tag":"Attribute","value":[{}]}}"#,
        vec!["0"; 400_000].join(",")
    );
    is_refused(json::read, &flat, "is no KMIP in JSON");
    let many = vec![r#"{"tag":"P"}"#; 20_000].join(",");
    let many = format!(r#"{{"tag":"Attribute","value":[{many}]}}"#);
    is_refused(json::read, &many, "more than 16384 items");
    let many = format!("<Attribute>{}</Attribute>", "<P/>".repeat(20_000));
    is_refused(xml::read, &many, "more than 16384 items");
    let spaces: Vec<_> = (0..40_000).map(|n| format!("xmlns:a{n}=\"\"")).collect();
    is_refused(
        xml::read,
        &format!("<Attribute {}/>", spaces.join(" ")),
        "too many attributes",
    );
}

#[test]
fn no_value_is_told_in_an_error() {
    let cases: [(Read, &str); 4] = [
        (xml::read, r#"<KeyMaterial type="ByteString" value="5ec2e7zz"/>"#),
        (xml::read, r#"<KeyMaterial type="5ec2e7"#),
        (
            json::read,
            r#"{"tag":"KeyMaterial","type":"ByteString","value":"5ec2e7zz"}"#,
        ),
        (json::read, r#"["5ec2e7"]"#),
    ];
    for (read, text) in cases {
        let error = read_with(read, text.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("5ec2e7"), "{error}");
    }
}

#[test]
fn the_version_of_a_text_that_breaks_off_is_known() {
    for (text, read) in [(QUERY_XML, xml::read as Read), (QUERY_JSON, json::read)] {
        let broken = text.replace("RequestPayload", "Nonsense");
        let mut out = ZeroizingOutput::new();
        let error = read(broken.as_bytes(), &Limits::default(), &mut out).unwrap_err();
        assert!(error.to_string().contains("Nonsense"), "{error}");
        assert_eq!(RequestMessage::sniff_version(out.as_slice()), Some(V1_4));
    }
}
