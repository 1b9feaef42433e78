//! Where an HTTP request ends, and what an HTTP response looks like (RFC 9112): as much of HTTP/1.1 as carries KMIP.
//!
//! A request is a POST of one message. Its head is found byte by byte and read once, its body is counted by
//! `Content-Length` or by chunks, and nothing is taken on trust: a head or a body beyond its limit is refused before it
//! is waited for, and so is whatever two readers could understand in two ways. What is in the body is not looked at.

use std::ops::Range;

use httparse::{EMPTY_HEADER, Header, Status as Parsed};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// The longest head: far beyond what any client of KMIP sends.
const HEAD_LIMIT: usize = 16 * 1024;

/// More headers than any client of KMIP sends.
const MOST_HEADERS: usize = 64;

/// The longest line before a chunk, extensions included, and the longest trailer.
const CHUNK_LINE_LIMIT: usize = 256;

/// What a response says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    LengthRequired,
    ContentTooLarge,
    UnsupportedMediaType,
    ExpectationFailed,
    HeadTooLarge,
    InternalError,
    NotImplemented,
    VersionNotSupported,
}

impl Status {
    /// The code and the reason phrase.
    pub(super) const fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::NotAcceptable => "406 Not Acceptable",
            Self::LengthRequired => "411 Length Required",
            Self::ContentTooLarge => "413 Content Too Large",
            Self::UnsupportedMediaType => "415 Unsupported Media Type",
            Self::ExpectationFailed => "417 Expectation Failed",
            Self::HeadTooLarge => "431 Request Header Fields Too Large",
            Self::InternalError => "500 Internal Server Error",
            Self::NotImplemented => "501 Not Implemented",
            Self::VersionNotSupported => "505 HTTP Version Not Supported",
        }
    }
}

/// How a message is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Ttlv,
    Xml,
    Json,
}

impl Encoding {
    /// The media type of an answer (KMIP Profiles 2.1, the HTTPS Profile).
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Ttlv => "application/octet-stream",
            Self::Xml => "text/xml; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// The encoding of a `Content-Type`; none where it is another, or in another character set than UTF-8.
    fn of_content_type(value: &[u8]) -> Option<Self> {
        let value = str::from_utf8(value).ok()?.to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        let encoding = match parts.next()? {
            "application/octet-stream" => Self::Ttlv,
            "text/xml" | "application/xml" => Self::Xml,
            "application/json" => Self::Json,
            _ => return None,
        };
        let is_utf_8 = parts
            .filter_map(|part| part.strip_prefix("charset="))
            .all(|name| matches!(name.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
        is_utf_8.then_some(encoding)
    }
}

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Where the body starts.
    length: usize,
    body: BodyLength,
    /// What is to be answered with where it is not the body that is asked for; the body is still passed over.
    pub(super) encoding: Result<Encoding, Status>,
    /// Whether another request may follow.
    pub(super) keeps_open: bool,
    /// Whether the client waits to be told to send the body.
    pub(super) expects_continue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyLength {
    Bytes(usize),
    Chunked,
}

/// A body that is whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    /// Where its bytes are, in their order.
    pub(super) parts: Vec<Range<usize>>,
    /// Where the next request starts.
    pub(super) end: usize,
}

/// Finds the end of one request while it comes in. It remembers what it has seen, so that a request that comes byte by
/// byte costs no more than one that comes at once.
#[derive(Default)]
pub(super) struct Framing {
    head: Option<Head>,
    /// Up to where the end of the head was looked for.
    searched: usize,
    /// Where the next chunk's line starts.
    chunk: usize,
    parts: Vec<Range<usize>>,
    size: usize,
    in_trailer: bool,
}

impl Framing {
    /// The head, once it is here.
    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The body of the request at the front of `bytes`, once it is whole. After an error, nothing behind can be told
    /// apart.
    pub(super) fn find(&mut self, bytes: &[u8], limit: usize) -> Result<Option<Body>, Status> {
        if self.head.is_none() {
            let Some(length) = self.head_length(bytes)? else {
                return Ok(None);
            };
            let head = Head::read(&bytes[..length])?;
            if matches!(head.body, BodyLength::Bytes(size) if size > limit) {
                return Err(Status::ContentTooLarge);
            }
            self.chunk = length;
            self.head = Some(head);
        }
        let Some(Head { length, body, .. }) = self.head else {
            return Ok(None);
        };
        match body {
            BodyLength::Bytes(size) => {
                let end = length + size;
                Ok((bytes.len() >= end).then(|| Body {
                    parts: std::iter::once(length..end).collect(),
                    end,
                }))
            }
            BodyLength::Chunked => self.chunks(bytes, limit),
        }
    }

    fn head_length(&mut self, bytes: &[u8]) -> Result<Option<usize>, Status> {
        // An end may be split between two reads.
        let from = self.searched.saturating_sub(3);
        self.searched = bytes.len();
        match bytes[from..].windows(4).position(|window| window == b"\r\n\r\n") {
            Some(place) if from + place + 4 <= HEAD_LIMIT => Ok(Some(from + place + 4)),
            None if bytes.len() < HEAD_LIMIT => {
                // What is no HTTP at all is not waited for.
                let first = bytes.first().is_none_or(u8::is_ascii_uppercase);
                if first { Ok(None) } else { Err(Status::BadRequest) }
            }
            _ => Err(Status::HeadTooLarge),
        }
    }

    fn chunks(&mut self, bytes: &[u8], limit: usize) -> Result<Option<Body>, Status> {
        loop {
            let Some(end) = self.line_end(bytes)? else {
                return Ok(None);
            };
            if self.in_trailer {
                if end - self.chunk == 2 {
                    return Ok(Some(Body {
                        parts: std::mem::take(&mut self.parts),
                        end,
                    }));
                }
                return Err(Status::NotImplemented);
            }
            let Ok(Parsed::Complete((_, size))) = httparse::parse_chunk_size(&bytes[self.chunk..end]) else {
                return Err(Status::BadRequest);
            };
            let size = usize::try_from(size).map_err(|_| Status::ContentTooLarge)?;
            if size > limit - self.size {
                return Err(Status::ContentTooLarge);
            }
            if size == 0 {
                self.in_trailer = true;
                self.chunk = end;
                continue;
            }
            match bytes.get(end + size..end + size + 2) {
                None => return Ok(None),
                Some(b"\r\n") => {}
                Some(_) => return Err(Status::BadRequest),
            }
            self.parts.push(end..end + size);
            self.size += size;
            self.chunk = end + size + 2;
        }
    }

    /// Where the line that starts at the chunk ends, its CRLF included.
    fn line_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Status> {
        let line = &bytes[self.chunk.min(bytes.len())..];
        let seen = &line[..line.len().min(CHUNK_LINE_LIMIT)];
        match seen.windows(2).position(|window| window == b"\r\n") {
            Some(place) => Ok(Some(self.chunk + place + 2)),
            None if line.len() < CHUNK_LINE_LIMIT => Ok(None),
            None => Err(Status::BadRequest),
        }
    }
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Self, Status> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(Parsed::Complete(length)) => length,
            Err(httparse::Error::TooManyHeaders) => return Err(Status::HeadTooLarge),
            Err(httparse::Error::Version) => return Err(Status::VersionNotSupported),
            _ => return Err(Status::BadRequest),
        };
        let is_1_1 = request.version == Some(1);
        let body = body_length(request.headers)?;
        let expects_continue = match one(request.headers, "expect")? {
            None => false,
            Some(value) if value.eq_ignore_ascii_case(b"100-continue") => is_1_1,
            Some(_) => return Err(Status::ExpectationFailed),
        };
        if is_1_1 && one(request.headers, "host")?.is_none() {
            return Err(Status::BadRequest);
        }
        let connection = |wanted: &str| {
            all(request.headers, "connection")
                .flat_map(|value| value.split(|byte| *byte == b','))
                .any(|option| option.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
        };
        let keeps_open = !connection("close") && (is_1_1 || connection("keep-alive"));
        let encoding = encoding(&request, body);
        Ok(Self {
            length,
            body: body.unwrap_or(BodyLength::Bytes(0)),
            encoding,
            keeps_open,
            expects_continue,
        })
    }
}

/// What the body is, or why it is not looked at.
fn encoding(request: &httparse::Request<'_, '_>, body: Option<BodyLength>) -> Result<Encoding, Status> {
    let target = request.path.unwrap_or_default();
    let path = match target.split_once("://") {
        // The absolute form, which clients send to proxies.
        Some((_, rest)) => rest.find('/').map_or("/", |start| &rest[start..]),
        None => target,
    };
    if path != "/kmip" {
        return Err(Status::NotFound);
    }
    if request.method != Some("POST") {
        return Err(Status::MethodNotAllowed);
    }
    if body.is_none() {
        return Err(Status::LengthRequired);
    }
    if one(request.headers, "content-encoding")?.is_some_and(|value| !value.eq_ignore_ascii_case(b"identity"))
    {
        return Err(Status::UnsupportedMediaType);
    }
    one(request.headers, "content-type")?
        .and_then(Encoding::of_content_type)
        .ok_or(Status::UnsupportedMediaType)
}

fn all<'h>(headers: &'h [Header<'_>], name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value.trim_ascii())
}

/// The value of a header that comes once, if at all.
fn one<'h>(headers: &'h [Header<'_>], name: &'static str) -> Result<Option<&'h [u8]>, Status> {
    let mut values = all(headers, name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Status::BadRequest),
    }
}

/// How the body's end is told; none where nothing tells it, so that there is none.
fn body_length(headers: &[Header<'_>]) -> Result<Option<BodyLength>, Status> {
    match (
        one(headers, "content-length")?,
        one(headers, "transfer-encoding")?,
    ) {
        (None, None) => Ok(None),
        (None, Some(coding)) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Some(BodyLength::Chunked)),
        (None, Some(_)) => Err(Status::NotImplemented),
        (Some(digits), None) if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse().ok())
                .map(|size| Some(BodyLength::Bytes(size)))
                .ok_or(Status::ContentTooLarge)
        }
        // Where there are both, two readers could find two ends (RFC 9112, section 6.3).
        (Some(_), _) => Err(Status::BadRequest),
    }
}

/// What a client that waits for it is told, so that it sends the body.
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The head of a response. It says nothing of the server but the time.
pub(super) fn response_head(
    status: Status,
    media_type: &str,
    length: usize,
    keeps_open: bool,
    now: OffsetDateTime,
) -> String {
    const DATE: &[BorrowedFormatItem<'_>] = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let date = now
        .to_offset(time::UtcOffset::UTC)
        .format(DATE)
        .unwrap_or_default();
    let allow = if status == Status::MethodNotAllowed {
        "Allow: POST\r\n"
    } else {
        ""
    };
    let connection = if keeps_open { "" } else { "Connection: close\r\n" };
    format!(
        "HTTP/1.1 {}\r\nDate: {date}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n{allow}{connection}\r\n",
        status.line()
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POST: &str = "POST /kmip HTTP/1.1\r\nHost: kms\r\nContent-Type: application/json\r\n";

    fn find(text: &str) -> Result<Option<(Vec<u8>, usize)>, Status> {
        let mut framing = Framing::default();
        let found = framing.find(text.as_bytes(), 1024)?;
        Ok(found.map(|body| {
            let bytes = body
                .parts
                .iter()
                .flat_map(|part| text.as_bytes()[part.clone()].to_vec());
            (bytes.collect(), body.end)
        }))
    }

    fn encoding_of(text: &str) -> Result<Encoding, Status> {
        let mut framing = Framing::default();
        framing.find(text.as_bytes(), 1024).expect("it can be followed");
        framing.head().expect("the head is whole").encoding
    }

    #[test]
    fn what_could_be_understood_in_two_ways_is_refused() {
        let long = format!("{POST}X: {}", "x".repeat(HEAD_LIMIT));
        let crowded = format!("{POST}{}\r\n", "X: x\r\n".repeat(MOST_HEADERS));
        for (text, status) in [
            (
                "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                Status::BadRequest,
            ),
            (
                "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
                Status::BadRequest,
            ),
            ("Content-Length: +2\r\n\r\n{}", Status::BadRequest),
            ("Content-Length: 2, 2\r\n\r\n{}", Status::BadRequest),
            ("Content-Length: 1025\r\n\r\n", Status::ContentTooLarge),
            (
                "Content-Length: 99999999999999999999999\r\n\r\n",
                Status::ContentTooLarge,
            ),
            ("Transfer-Encoding: gzip, chunked\r\n\r\n", Status::NotImplemented),
            (
                "Transfer-Encoding: chunked\r\n\r\n401\r\n",
                Status::ContentTooLarge,
            ),
            ("Transfer-Encoding: chunked\r\n\r\nxyz\r\n", Status::BadRequest),
            ("Transfer-Encoding: chunked\r\n\r\n2\r\n{}--", Status::BadRequest),
            (
                "Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
                Status::NotImplemented,
            ),
            ("Expect: more\r\n\r\n", Status::ExpectationFailed),
            ("Host: other\r\n\r\n", Status::BadRequest),
            (" folded: x\r\n\r\n", Status::BadRequest),
        ] {
            assert_eq!(find(&format!("{POST}{text}")), Err(status), "{text}");
        }
        for (text, status) in [
            (long.as_str(), Status::HeadTooLarge),
            (crowded.as_str(), Status::HeadTooLarge),
            ("POST /kmip HTTP/2.0\r\n\r\n", Status::VersionNotSupported),
            ("POST /kmip HTTP/1.1\r\n\r\n", Status::BadRequest),
            ("\u{42}\0\u{78}\r\n\r\n", Status::BadRequest),
            ("\u{16}\u{3}\u{1}", Status::BadRequest),
        ] {
            assert_eq!(find(text), Err(status));
        }
    }

    #[test]
    fn a_request_for_something_else_is_told_what_is_wrong_with_it() {
        let request =
            |line: &str, headers: &str| encoding_of(&format!("{line}\r\nHost: kms\r\n{headers}\r\n"));
        let json = "Content-Type: application/json\r\nContent-Length: 0\r\n";
        let post = "POST /kmip HTTP/1.1";
        assert_eq!(request(post, json), Ok(Encoding::Json));
        assert_eq!(
            request("POST https://kms:443/kmip HTTP/1.1", json),
            Ok(Encoding::Json)
        );
        assert_eq!(request("GET /kmip HTTP/1.1", ""), Err(Status::MethodNotAllowed));
        for path in ["/", "/kmip/", "/kmip?x", "/KMIP", "/../kmip", "*", "https://kms"] {
            assert_eq!(
                request(&format!("POST {path} HTTP/1.1"), json),
                Err(Status::NotFound),
                "{path}"
            );
        }
        assert_eq!(
            request(post, "Content-Type: text/xml\r\n"),
            Err(Status::LengthRequired)
        );
        for (content_type, expected) in [
            ("text/xml", Ok(Encoding::Xml)),
            ("Application/XML; Charset=\"UTF-8\"", Ok(Encoding::Xml)),
            ("application/octet-stream", Ok(Encoding::Ttlv)),
            ("text/xml; charset=utf-16", Err(Status::UnsupportedMediaType)),
            ("text/plain", Err(Status::UnsupportedMediaType)),
            (
                "application/x-www-form-urlencoded",
                Err(Status::UnsupportedMediaType),
            ),
        ] {
            let headers = format!("Content-Type: {content_type}\r\nContent-Length: 0\r\n");
            assert_eq!(request(post, &headers), expected, "{content_type}");
        }
        let zipped = format!("{json}Content-Encoding: gzip\r\n");
        assert_eq!(request(post, &zipped), Err(Status::UnsupportedMediaType));
    }

    proptest! {
        #[test]
        fn a_request_is_whole_at_its_last_byte_however_it_comes(
            chunks in proptest::collection::vec("[a-z]{1,40}", 0..8),
            steps in proptest::collection::vec(1_usize..60, 1..200),
            chunked in any::<bool>(),
        ) {
            let body = chunks.concat();
            let text = if chunked {
                let chunks: Vec<_> = chunks.iter().map(|chunk| format!("{:x};a=b\r\n{chunk}\r\n", chunk.len())).collect();
                format!("{POST}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunks.concat())
            } else {
                format!("{POST}Content-Length: {}\r\n\r\n{body}", body.len())
            };
            let behind = format!("{text}POST");
            prop_assert_eq!(find(&behind), Ok(Some((body.clone().into_bytes(), text.len()))));
            let mut framing = Framing::default();
            let mut end = 0;
            for step in steps.iter().cycle() {
                end = (end + step).min(text.len());
                let found = framing.find(&text.as_bytes()[..end], 1024);
                if end == text.len() {
                    prop_assert_eq!(found.map(|body| body.map(|body| body.end)), Ok(Some(end)));
                    break;
                }
                prop_assert_eq!(found, Ok(None));
            }
        }

        #[test]
        fn bytes_that_are_no_request_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut framing = Framing::default();
            let _ = framing.find(&bytes, 1024);
            let chunked = [format!("{POST}Transfer-Encoding: chunked\r\n\r\n").into_bytes(), bytes].concat();
            let _ = Framing::default().find(&chunked, 1024);
        }
    }
}
