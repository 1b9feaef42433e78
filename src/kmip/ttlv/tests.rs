//! Items as they are on the wire, good and bad.

use super::*;
use crate::kmip::output::ZeroizingOutput;

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace([' ', '|'], "")).expect("the test's bytes are hexadecimal")
}

fn decoded(hex: &str) -> Result<Item, DecodeError> {
    decode(&bytes(hex), &Limits::default())
}

fn refused(hex: &str) -> DecodeErrorKind {
    let error = decoded(hex).expect_err("the bytes are wrong");
    assert!(!error.to_string().is_empty());
    error.kind().clone()
}

/// The examples of section 9.1.2.
#[test]
fn the_examples_of_the_specification_are_read_and_written() {
    let structure = Value::Structure(vec![
        Item::new(Tag::new(0x42_0004), Value::Enumeration(254)),
        Item::new(Tag::new(0x42_0005), Value::Integer(255)),
    ]);
    let examples = [
        (
            "42 00 20 | 02 | 00 00 00 04 | 00 00 00 08 00 00 00 00",
            Value::Integer(8),
        ),
        (
            "42 00 20 | 03 | 00 00 00 08 | 01 B6 9B 4B A5 74 92 00",
            Value::LongInteger(123_456_789_000_000_000),
        ),
        (
            "42 00 20 | 04 | 00 00 00 10 | 00 00 00 00 03 FD 35 EB 6B C2 DF 46 18 08 00 00",
            Value::BigInteger(1_234_567_890_000_000_000_000_000_000_i128.to_be_bytes().to_vec()),
        ),
        (
            "42 00 20 | 05 | 00 00 00 04 | 00 00 00 FF 00 00 00 00",
            Value::Enumeration(255),
        ),
        (
            "42 00 20 | 06 | 00 00 00 08 | 00 00 00 00 00 00 00 01",
            Value::Boolean(true),
        ),
        (
            "42 00 20 | 07 | 00 00 00 0B | 48 65 6C 6C 6F 20 57 6F 72 6C 64 00 00 00 00 00",
            Value::TextString("Hello World".to_owned()),
        ),
        (
            "42 00 20 | 08 | 00 00 00 03 | 01 02 03 00 00 00 00 00",
            Value::ByteString(vec![1, 2, 3]),
        ),
        (
            "42 00 20 | 09 | 00 00 00 08 | 00 00 00 00 47 DA 67 F8",
            Value::DateTime(DateTime(1_205_495_800)),
        ),
        (
            "42 00 20 | 0A | 00 00 00 04 | 00 0D 2F 00 00 00 00 00",
            Value::Interval(864_000),
        ),
        (
            "42 00 20 | 01 | 00 00 00 20 | 42 00 04 | 05 | 00 00 00 04 | 00 00 00 FE 00 00 00 00 \
             | 42 00 05 | 02 | 00 00 00 04 | 00 00 00 FF 00 00 00 00",
            structure,
        ),
    ];
    for (hex, value) in examples {
        let item = Item::new(Tag::COMPROMISE_DATE, value);
        assert_eq!(decoded(hex).as_ref(), Ok(&item));
        let mut out = ZeroizingOutput::new();
        encode(&item, &mut out);
        assert_eq!(out.as_slice(), bytes(hex), "{item:?}");
    }
}

#[test]
fn an_item_that_is_not_as_the_specification_has_it_is_refused() {
    use DecodeErrorKind as Kind;
    let cases = [
        (
            "",
            Kind::Missing {
                expected: Tag::new(0),
                found: None,
            },
        ),
        ("420020 02 000000", Kind::Truncated { needed: 8, left: 7 }),
        (
            "420020 02 00000004 00000008",
            Kind::Truncated { needed: 16, left: 12 },
        ),
        (
            "420020 08 FFFFFFFF 00",
            Kind::Truncated {
                needed: 0x1_0000_0008,
                left: 9,
            },
        ),
        (
            "430020 02 00000004 0000000800000000",
            Kind::ForbiddenTag {
                found: Tag::new(0x43_0020),
            },
        ),
        (
            "420020 0C 00000008 0000000000000000",
            Kind::UnknownType { code: 0x0C },
        ),
        ("420020 00 00000000", Kind::UnknownType { code: 0 }),
        (
            "420020 02 00000008 0000000000000000",
            Kind::WrongLength {
                item_type: ItemType::Integer,
                length: 8,
            },
        ),
        (
            "420020 09 00000004 0000000000000000",
            Kind::WrongLength {
                item_type: ItemType::DateTime,
                length: 4,
            },
        ),
        (
            "420020 04 00000004 0000000000000000",
            Kind::WrongLength {
                item_type: ItemType::BigInteger,
                length: 4,
            },
        ),
        (
            "420020 01 00000004 0000000000000000",
            Kind::WrongLength {
                item_type: ItemType::Structure,
                length: 4,
            },
        ),
        ("420020 02 00000004 0000000800000001", Kind::Padding),
        ("420020 07 00000001 4100000000000001", Kind::Padding),
        (
            "420020 06 00000008 0000000000000002",
            Kind::BadBoolean { found: 2 },
        ),
        ("420020 07 00000002 C328000000000000", Kind::NotUtf8),
        (
            "420020 02 00000004 0000000800000000 00",
            Kind::TrailingBytes { count: 1 },
        ),
    ];
    for (hex, kind) in cases {
        let found = refused(hex);
        match kind {
            Kind::Missing { .. } => assert!(
                matches!(found, Kind::Truncated { left: 0, .. }),
                "{hex}: {found:?}"
            ),
            kind => assert_eq!(found, kind, "{hex}"),
        }
    }
}

#[test]
fn an_error_tells_the_item_and_the_byte() {
    let error =
        decoded("420078 01 00000018 420077 01 00000010 42000D 02 00000004 00000001 00000001").unwrap_err();
    assert_eq!(error.path(), "Request Message / Request Header / Batch Count");
    assert_eq!(error.offset(), 16);
    assert_eq!(
        error.to_string(),
        "Request Message / Request Header / Batch Count, byte 16: the padding is not zero"
    );
}

/// Structures within structures, `depth` of them.
fn nested(depth: usize) -> Vec<u8> {
    let mut all = Vec::with_capacity(depth * 8);
    for inner in (0..depth).rev() {
        all.extend_from_slice(&[0x42, 0x00, 0x20, 0x01]);
        all.extend_from_slice(&u32::try_from(inner * 8).expect("the length fits").to_be_bytes());
    }
    all
}

#[test]
fn a_message_beyond_a_limit_is_refused() {
    let limits = Limits::default();
    assert!(decode(&nested(limits.depth), &limits).is_ok());
    let too_deep = decode(&nested(limits.depth + 1), &limits).unwrap_err();
    assert_eq!(*too_deep.kind(), DecodeErrorKind::TooDeep { limit: limits.depth });
    assert!(decode(&nested(100_000), &limits).is_err());

    let few = Limits { items: 3, ..limits };
    assert!(decode(&nested(3), &few).is_ok());
    assert_eq!(
        *decode(&nested(4), &few).unwrap_err().kind(),
        DecodeErrorKind::TooManyItems { limit: 3 }
    );

    let short = Limits {
        text_length: 4,
        ..limits
    };
    let text = bytes("420020 07 00000005 4142434445000000");
    let kind = DecodeErrorKind::TextTooLong { length: 5, limit: 4 };
    assert_eq!(*decode(&text, &short).unwrap_err().kind(), kind);

    let small = Limits {
        message_size: 15,
        ..limits
    };
    assert_eq!(
        *decode(&text, &small).unwrap_err().kind(),
        DecodeErrorKind::TooLarge { size: 16, limit: 15 }
    );
}

#[test]
fn the_size_of_a_message_is_known_from_its_first_eight_bytes() {
    let limits = Limits {
        message_size: 0x108,
        ..Limits::default()
    };
    let size = |hex: &str| message_size(&bytes(hex), &limits);
    assert_eq!(size("420078 01 000001"), Ok(None));
    assert_eq!(size("420078 01 00000100"), Ok(Some(0x108)));
    let kind = |hex: &str| size(hex).unwrap_err().kind().clone();
    assert_eq!(
        kind("420078 01 00000108"),
        DecodeErrorKind::TooLarge {
            size: 0x110,
            limit: 0x108
        }
    );
    assert_eq!(
        kind("420078 01 FFFFFFF8"),
        DecodeErrorKind::TooLarge {
            size: 0x1_0000_0000,
            limit: 0x108
        }
    );
    let wrong_type = DecodeErrorKind::WrongType {
        expected: ItemType::Structure,
        found: ItemType::Integer,
    };
    assert_eq!(kind("420078 02 00000004"), wrong_type);
    // The start of a TLS record and of an HTTP request.
    assert!(matches!(
        kind("160301 02 000100 00"),
        DecodeErrorKind::ForbiddenTag { .. }
    ));
    assert!(matches!(
        kind("504F5354 202F6B6D"),
        DecodeErrorKind::ForbiddenTag { .. }
    ));
}
