-- The first form. Times are microseconds since 1970, identifiers the 16 bytes of a UUID.
-- A column that is added to a sealed table must be added to its seal too (src/store/table.rs).

CREATE TABLE root_key (
    id               BLOB    NOT NULL PRIMARY KEY,
    name             TEXT    NOT NULL UNIQUE,
    backend          TEXT    NOT NULL,
    token_label      TEXT    NOT NULL,
    token_serial     TEXT    NOT NULL,
    label            TEXT    NOT NULL,
    version          INTEGER NOT NULL,
    check_value      BLOB    NOT NULL,
    seal_key_profile TEXT    NOT NULL,
    seal_key         BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    seal             BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE adapter (
    id          BLOB    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    description TEXT    NOT NULL,
    root_key    BLOB    NOT NULL REFERENCES root_key (id),
    created_at  INTEGER NOT NULL,
    seal        BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX adapter_by_root_key ON adapter (root_key);

CREATE TABLE client_certificate (
    fingerprint BLOB    NOT NULL PRIMARY KEY,
    adapter     BLOB    NOT NULL REFERENCES adapter (id),
    name        TEXT    NOT NULL,
    der         BLOB    NOT NULL,
    subject     TEXT    NOT NULL,
    issuer      TEXT    NOT NULL,
    serial      TEXT    NOT NULL,
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    added_at    INTEGER NOT NULL,
    sealed_by   BLOB    NOT NULL REFERENCES root_key (id),
    seal        BLOB    NOT NULL,
    UNIQUE (adapter, name)
) STRICT;

CREATE INDEX client_certificate_by_root_key ON client_certificate (sealed_by);

-- `ordinal` is the order of creation, and what the index of terms refers to. The wrapped bytes come last but one, so
-- that what is in front of them is read without them.
CREATE TABLE managed_object (
    ordinal          INTEGER NOT NULL PRIMARY KEY,
    id               BLOB    NOT NULL UNIQUE,
    adapter          BLOB    NOT NULL REFERENCES adapter (id),
    root_key         BLOB    REFERENCES root_key (id),
    root_key_version INTEGER,
    wrap_profile     TEXT,
    revision         INTEGER NOT NULL,
    sealed_by        BLOB    NOT NULL REFERENCES root_key (id),
    seal             BLOB    NOT NULL,
    wrapped          BLOB,
    document         TEXT    NOT NULL
) STRICT;

CREATE INDEX managed_object_by_adapter ON managed_object (adapter, ordinal, root_key);

-- What Locate finds objects by. A term is a hash of adapter, attribute and value, so that an entry is short however
-- long the value is; whether an object truly has the value, its sealed document says.
CREATE TABLE index_term (
    term    BLOB    NOT NULL,
    ordinal INTEGER NOT NULL REFERENCES managed_object (ordinal),
    PRIMARY KEY (term, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX index_term_by_object ON index_term (ordinal);

CREATE TABLE custody_record (
    sequence INTEGER NOT NULL PRIMARY KEY,
    leaf     BLOB    NOT NULL,
    record   BLOB    NOT NULL
) STRICT;

-- One row. `frontier` and `anchor` are the compact ranges over `size` and over `anchor_size` records.
CREATE TABLE custody_head (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    size        INTEGER NOT NULL,
    root        BLOB    NOT NULL,
    frontier    BLOB    NOT NULL,
    anchor_size INTEGER NOT NULL,
    anchor      BLOB    NOT NULL
) STRICT;

-- The root of the empty tree is the SHA-256 of nothing.
INSERT INTO custody_head (id, size, root, frontier, anchor_size, anchor)
VALUES (1, 0, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', x'', 0, x'');
