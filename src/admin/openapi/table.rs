//! Each operation of the interface.

use utoipa::openapi::HttpMethod;
use utoipa::openapi::HttpMethod::{Delete, Get, Post, Put};

use super::super::api::{
    Adapter, AdapterQuota, Authority, Certificate, CredentialMade, CredentialPolicy, Credentials,
    CustodyCheckpoint, CustodyHead, CustodyRecord, Epoch, ImportOffer, ImportRootKey, Key, KeyList,
    KeyListResult, KeyScan, MoveAdapter, NewAdapter, NewAuthority, NewCertificate, NewCredential, NewKeyList,
    NewRootKey, NewToken, OfferImport, OpenEpoch, Prune, Pruning, Readiness, RootKey, RowComparison,
    ScheduleDestruction, Status, Token, TokenMade, UnusedKey,
};
use super::super::key_protect;
use super::{Described, form};

/// One operation.
pub(super) struct Operation {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) request: Option<fn() -> Described>,
    pub(super) reply: Reply,
}

/// What a success is answered with.
pub(super) enum Reply {
    /// 204.
    Nothing,
    /// 200, and the form.
    One(fn() -> Described),
    /// 201, and the form.
    Made(fn() -> Described),
    /// 200, and a page of them.
    List(fn() -> Described),
    /// 200, and a page of texts.
    Texts,
    /// 200, and a collection as Key Protect has it.
    Collection(fn() -> Described),
    /// 201, and such a collection; the request is one as well.
    Collected(fn() -> Described),
    /// 200, and a file of this type.
    File(&'static str),
    /// 200, and this document.
    Document,
}

use Reply::{Collected, Collection, Document, File, List, Made, Nothing, One, Texts};

const fn asked(method: HttpMethod, path: &'static str, summary: &'static str, reply: Reply) -> Operation {
    Operation {
        method,
        path,
        summary,
        query: &[],
        request: None,
        reply,
    }
}

const fn with(
    path: &'static str,
    summary: &'static str,
    request: fn() -> Described,
    reply: Reply,
) -> Operation {
    Operation {
        method: Post,
        path,
        summary,
        query: &[],
        request: Some(request),
        reply,
    }
}

const fn queried(
    method: HttpMethod,
    path: &'static str,
    summary: &'static str,
    query: &'static [(&'static str, &'static str)],
    reply: Reply,
) -> Operation {
    Operation {
        method,
        path,
        summary,
        query,
        request: None,
        reply,
    }
}

const RANGE: &[(&str, &str)] = &[("from", "The first."), ("limit", "How many, at most.")];
const PAGE: &[(&str, &str)] = &[
    ("limit", "How many, at most."),
    ("offset", "How many to pass over."),
    ("totalCount", "`true` to have the number of all in the metadata."),
];

pub(super) const OPERATIONS: &[Operation] = &[
    asked(Get, "/v1/openapi.json", "This document", Document),
    asked(Get, "/v1/status", "How the server is", One(form::<Status>)),
    asked(
        Get,
        "/v1/readiness",
        "Whether it can do its work now",
        One(form::<Readiness>),
    ),
    asked(
        Get,
        "/v1/root-keys",
        "All root keys, by name",
        List(form::<RootKey>),
    ),
    with(
        "/v1/root-keys",
        "Make a root key, or take up one that is there",
        form::<NewRootKey>,
        Made(form::<RootKey>),
    ),
    asked(
        Get,
        "/v1/root-keys/{root_key}",
        "One, by name or identifier",
        One(form::<RootKey>),
    ),
    asked(
        Post,
        "/v1/root-keys/{root_key}/rotate",
        "Make a new version; its keys follow",
        One(form::<RootKey>),
    ),
    asked(
        Post,
        "/v1/root-keys/{root_key}/disable",
        "Make and release nothing under it",
        One(form::<RootKey>),
    ),
    asked(
        Post,
        "/v1/root-keys/{root_key}/enable",
        "Use it again",
        One(form::<RootKey>),
    ),
    with(
        "/v1/root-keys/{root_key}/schedule-destruction",
        "Ask for its destruction",
        form::<ScheduleDestruction>,
        One(form::<RootKey>),
    ),
    asked(
        Post,
        "/v1/root-keys/{root_key}/approve-destruction",
        "Approve of it, as another administrator",
        One(form::<RootKey>),
    ),
    asked(
        Post,
        "/v1/root-keys/{root_key}/cancel-destruction",
        "Call it off",
        One(form::<RootKey>),
    ),
    asked(
        Post,
        "/v1/root-keys/{root_key}/versions/{version}/destroy",
        "Destroy an earlier version",
        One(form::<RootKey>),
    ),
    asked(
        Post,
        "/v1/root-keys/{root_key}/restore",
        "Bring it back in its key manager",
        One(form::<RootKey>),
    ),
    with(
        "/v1/root-key-offers",
        "Have a key made to wrap a root key under",
        form::<OfferImport>,
        One(form::<ImportOffer>),
    ),
    with(
        "/v1/root-key-imports",
        "Bring a root key",
        form::<ImportRootKey>,
        Made(form::<RootKey>),
    ),
    asked(
        Get,
        "/v1/adapters",
        "All adapters, by name",
        List(form::<Adapter>),
    ),
    with(
        "/v1/adapters",
        "Make an adapter",
        form::<NewAdapter>,
        Made(form::<Adapter>),
    ),
    asked(
        Get,
        "/v1/adapters/{adapter}",
        "One, by name or identifier",
        One(form::<Adapter>),
    ),
    asked(
        Delete,
        "/v1/adapters/{adapter}",
        "Delete it, where no object of it has a key",
        Nothing,
    ),
    with(
        "/v1/adapters/{adapter}/move",
        "Put it under another root key; its keys follow",
        form::<MoveAdapter>,
        One(form::<Adapter>),
    ),
    Operation {
        method: Put,
        ..with(
            "/v1/adapters/{adapter}/quota",
            "Bound what its clients may have and do",
            form::<AdapterQuota>,
            One(form::<Adapter>),
        )
    },
    asked(
        Get,
        "/v1/certificates",
        "The client certificates of all adapters",
        List(form::<Certificate>),
    ),
    asked(
        Get,
        "/v1/adapters/{adapter}/certificates",
        "Those of one",
        List(form::<Certificate>),
    ),
    with(
        "/v1/adapters/{adapter}/certificates",
        "Let a client in, at once",
        form::<NewCertificate>,
        Made(form::<Certificate>),
    ),
    asked(
        Delete,
        "/v1/adapters/{adapter}/certificates/{fingerprint}",
        "Shut a client out, at once",
        Nothing,
    ),
    asked(
        Get,
        "/v1/adapters/{adapter}/credentials",
        "Its users, without their passwords",
        One(form::<Credentials>),
    ),
    with(
        "/v1/adapters/{adapter}/credentials",
        "Add a user; a password that the server makes is told this once",
        form::<NewCredential>,
        Made(form::<CredentialMade>),
    ),
    asked(
        Delete,
        "/v1/adapters/{adapter}/credentials/{username}",
        "Remove a user, at once",
        Nothing,
    ),
    with(
        "/v1/adapters/{adapter}/credential-policy",
        "Say whether a user has to be shown",
        form::<CredentialPolicy>,
        One(form::<Credentials>),
    ),
    asked(
        Get,
        "/v1/adapters/{adapter}/authorities",
        "The authorities that it trusts",
        List(form::<Authority>),
    ),
    with(
        "/v1/adapters/{adapter}/authorities",
        "Let in the clients of an authority, at once",
        form::<NewAuthority>,
        Made(form::<Authority>),
    ),
    asked(
        Delete,
        "/v1/adapters/{adapter}/authorities/{authority}",
        "Trust one no more, at once",
        Nothing,
    ),
    queried(
        Get,
        "/v1/adapters/{adapter}/keys",
        "The objects of an adapter, the last created first",
        &[
            ("state", "The name of a KMIP State."),
            ("after", "The `next` of the page before."),
            ("limit", "How many, at most."),
        ],
        List(form::<Key>),
    ),
    asked(
        Get,
        "/v1/adapters/{adapter}/keys/{key}",
        "One, by its Unique Identifier",
        One(form::<Key>),
    ),
    queried(
        Delete,
        "/v1/adapters/{adapter}/keys/{key}",
        "Destroy it",
        &[("force", "`true` to destroy it though it is active.")],
        Nothing,
    ),
    with(
        "/v1/key-lists",
        "Revoke or destroy the keys of a list, or only tell what would become of each",
        form::<NewKeyList>,
        One(form::<KeyList>),
    ),
    asked(
        Get,
        "/v1/key-lists/{sha256}",
        "How far a list is",
        One(form::<KeyList>),
    ),
    queried(
        Get,
        "/v1/key-lists/{sha256}/lines",
        "What became of each of its keys",
        RANGE,
        List(form::<KeyListResult>),
    ),
    asked(
        Post,
        "/v1/key-lists/{sha256}/approve",
        "Approve of a destruction, as another administrator",
        One(form::<KeyList>),
    ),
    queried(
        Get,
        "/v1/unused-keys",
        "Keys that no client has fetched for so long",
        &[
            ("for_seconds", "For how long, in seconds."),
            (
                "adapter",
                "The name or identifier of an adapter, whose keys alone are looked at.",
            ),
            ("after", "The `next` of the page before."),
            ("limit", "How many keys are looked at, at most."),
        ],
        List(form::<UnusedKey>),
    ),
    asked(
        Get,
        "/v1/key-scan",
        "What the last scan of key managers found",
        One(form::<KeyScan>),
    ),
    asked(Post, "/v1/key-scan", "Scan them now", One(form::<KeyScan>)),
    asked(
        Get,
        "/v1/tokens",
        "All access tokens, without their secrets",
        List(form::<Token>),
    ),
    with(
        "/v1/tokens",
        "Make one; its secret is told this once",
        form::<NewToken>,
        Made(form::<TokenMade>),
    ),
    asked(Delete, "/v1/tokens/{token}", "Revoke one, at once", Nothing),
    asked(
        Get,
        "/v1/custody/head",
        "How long the custody log is",
        One(form::<CustodyHead>),
    ),
    queried(
        Get,
        "/v1/custody/records",
        "Records in order",
        RANGE,
        List(form::<CustodyRecord>),
    ),
    queried(
        Get,
        "/v1/custody/search",
        "Records of an object or a client, the newest first",
        &[
            ("object", "About the object of this identifier."),
            ("client", "By the client of this certificate: its SHA-256."),
            ("before", "Before this number."),
            ("limit", "How many, at most."),
        ],
        List(form::<CustodyRecord>),
    ),
    asked(
        Get,
        "/v1/custody/checkpoint",
        "The latest checkpoint",
        One(form::<CustodyCheckpoint>),
    ),
    queried(
        Get,
        "/v1/custody/checkpoints",
        "Checkpoints by size",
        RANGE,
        List(form::<CustodyCheckpoint>),
    ),
    queried(
        Get,
        "/v1/custody/hashes",
        "Hashes of the tree, in hexadecimal",
        &[
            (
                "level",
                "0 has the leaves, each level above it the roots of full tiles.",
            ),
            ("first", "The first place."),
            ("count", "How many, at most."),
        ],
        Texts,
    ),
    asked(
        Get,
        "/v1/custody/comparison",
        "The last comparison of the rows with the log",
        One(form::<RowComparison>),
    ),
    asked(
        Post,
        "/v1/custody/comparison",
        "Compare them now",
        One(form::<RowComparison>),
    ),
    queried(
        Get,
        "/v1/custody/bundle",
        "What an auditor takes along, as one file",
        &[
            ("since", "Records from this time on."),
            ("until", "Records up to this time."),
            ("kept", "The size of the log at the auditor's last visit."),
        ],
        File("application/x-tar"),
    ),
    asked(
        Post,
        "/v1/backups",
        "Make a backup, and take it along",
        File("application/octet-stream"),
    ),
    asked(
        Get,
        "/v1/custody/pruning",
        "What may go of the log now, and what was asked for",
        One(form::<Pruning>),
    ),
    with(
        "/v1/custody/pruning",
        "Ask to let records go",
        form::<Prune>,
        One(form::<Pruning>),
    ),
    asked(
        Post,
        "/v1/custody/pruning/approve",
        "Approve of it, as another administrator",
        One(form::<Pruning>),
    ),
    asked(
        Get,
        "/v1/custody/epoch",
        "Whether the log is held, and why",
        One(form::<Epoch>),
    ),
    with(
        "/v1/custody/epoch",
        "Ask for a new epoch",
        form::<OpenEpoch>,
        One(form::<Epoch>),
    ),
    asked(
        Post,
        "/v1/custody/epoch/approve",
        "Approve of it, as another administrator",
        One(form::<Epoch>),
    ),
    queried(
        Get,
        "/api/v2/kmip_adapters",
        "Adapters, as Key Protect has them",
        &[
            ("limit", "How many, at most."),
            ("offset", "How many to pass over."),
            ("totalCount", "`true` to have the number of all in the metadata."),
            ("crk_id", "Those under this root key."),
        ],
        Collection(form::<key_protect::Adapter>),
    ),
    with(
        "/api/v2/kmip_adapters",
        "Make one",
        form::<key_protect::NewAdapter>,
        Collected(form::<key_protect::Adapter>),
    ),
    asked(
        Get,
        "/api/v2/kmip_adapters/{adapter}",
        "One, by name or identifier",
        Collection(form::<key_protect::Adapter>),
    ),
    asked(Delete, "/api/v2/kmip_adapters/{adapter}", "Delete it", Nothing),
    queried(
        Get,
        "/api/v2/kmip_adapters/{adapter}/certificates",
        "Its client certificates",
        PAGE,
        Collection(form::<key_protect::Certificate>),
    ),
    with(
        "/api/v2/kmip_adapters/{adapter}/certificates",
        "Let a client in",
        form::<key_protect::NewCertificate>,
        Collected(form::<key_protect::Certificate>),
    ),
    asked(
        Get,
        "/api/v2/kmip_adapters/{adapter}/certificates/{certificate}",
        "One, by name or identifier",
        Collection(form::<key_protect::Certificate>),
    ),
    asked(
        Delete,
        "/api/v2/kmip_adapters/{adapter}/certificates/{certificate}",
        "Shut a client out",
        Nothing,
    ),
    queried(
        Get,
        "/api/v2/kmip_adapters/{adapter}/kmip_objects",
        "Its objects",
        &[
            ("limit", "How many, at most."),
            ("offset", "How many to pass over."),
            ("totalCount", "`true` to have the number of all in the metadata."),
            (
                "state",
                "KMIP States by number, such as 2,3; 1 to 4 where left out.",
            ),
        ],
        Collection(form::<key_protect::Object>),
    ),
    asked(
        Get,
        "/api/v2/kmip_adapters/{adapter}/kmip_objects/{object}",
        "One",
        Collection(form::<key_protect::Object>),
    ),
    queried(
        Delete,
        "/api/v2/kmip_adapters/{adapter}/kmip_objects/{object}",
        "Destroy it",
        &[("force", "`true` to destroy it though it is active.")],
        Nothing,
    ),
];
