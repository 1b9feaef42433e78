-- The same tables as SQLite's, in one form. Times are microseconds since 1970, identifiers the 16 bytes of a UUID, names in
-- the order of their bytes. A column that is added to a sealed table must be added to its seal too (src/store/table).
--
-- Servers of the version before work on with this schema while they are replaced one by one: what is added later has a
-- default, and nothing is renamed.

CREATE TABLE root_key (
    id               BYTEA            NOT NULL PRIMARY KEY,
    name             TEXT COLLATE "C" NOT NULL UNIQUE,
    backend          TEXT             NOT NULL,
    token_label      TEXT             NOT NULL,
    token_serial     TEXT             NOT NULL,
    label            TEXT             NOT NULL,
    version          BIGINT           NOT NULL,
    check_value      BYTEA            NOT NULL,
    seal_key_profile TEXT             NOT NULL,
    seal_key         BYTEA            NOT NULL,
    created_at       BIGINT           NOT NULL,
    life             TEXT,
    origin           TEXT,
    seal             BYTEA            NOT NULL
);

CREATE TABLE root_key_version (
    id            BYTEA  NOT NULL REFERENCES root_key (id),
    version       BIGINT NOT NULL,
    label         TEXT   NOT NULL,
    check_value   BYTEA  NOT NULL,
    superseded_at BIGINT NOT NULL,
    life          TEXT,
    origin        TEXT,
    seal          BYTEA  NOT NULL,
    PRIMARY KEY (id, version)
);

CREATE TABLE adapter (
    id          BYTEA            NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    description TEXT             NOT NULL,
    root_key    BYTEA            NOT NULL REFERENCES root_key (id),
    created_at  BIGINT           NOT NULL,
    created_by  TEXT,
    seal        BYTEA            NOT NULL
);

CREATE INDEX adapter_by_root_key ON adapter (root_key);

CREATE TABLE adapter_setting (
    id        BYTEA NOT NULL REFERENCES adapter (id),
    kind      TEXT  NOT NULL,
    document  BYTEA NOT NULL,
    sealed_by BYTEA NOT NULL REFERENCES root_key (id),
    seal      BYTEA NOT NULL,
    PRIMARY KEY (id, kind)
);

CREATE TABLE client_certificate (
    fingerprint BYTEA            NOT NULL PRIMARY KEY,
    adapter     BYTEA            NOT NULL REFERENCES adapter (id),
    name        TEXT COLLATE "C" NOT NULL,
    der         BYTEA            NOT NULL,
    subject     TEXT             NOT NULL,
    issuer      TEXT             NOT NULL,
    serial      TEXT             NOT NULL,
    not_before  BIGINT           NOT NULL,
    not_after   BIGINT           NOT NULL,
    added_at    BIGINT           NOT NULL,
    added_by    TEXT,
    sealed_by   BYTEA            NOT NULL REFERENCES root_key (id),
    seal        BYTEA            NOT NULL,
    UNIQUE (adapter, name)
);

CREATE INDEX client_certificate_by_root_key ON client_certificate (sealed_by);

-- Bearer tokens of the administration interface. Of the secret there is the SHA-256 alone; `adapters` has the 16 bytes of each
-- adapter that the token is for, one after the other, or NULL where it is for all.
CREATE TABLE access_token (
    id            BYTEA            NOT NULL PRIMARY KEY,
    name          TEXT COLLATE "C" NOT NULL UNIQUE,
    secret_sha256 BYTEA            NOT NULL UNIQUE,
    role          TEXT             NOT NULL,
    adapters      BYTEA,
    created_at    BIGINT           NOT NULL,
    created_by    TEXT             NOT NULL,
    expires_at    BIGINT           NOT NULL,
    sealed_by     BYTEA            NOT NULL REFERENCES root_key (id),
    seal          BYTEA            NOT NULL
);

-- `ordinal` is the order of creation, and what the index of terms refers to.
CREATE TABLE managed_object (
    ordinal          BIGINT NOT NULL PRIMARY KEY,
    id               BYTEA  NOT NULL UNIQUE,
    adapter          BYTEA  NOT NULL REFERENCES adapter (id),
    root_key         BYTEA  REFERENCES root_key (id),
    root_key_version BIGINT,
    wrap_profile     TEXT,
    revision         BIGINT NOT NULL,
    sealed_by        BYTEA  NOT NULL REFERENCES root_key (id),
    seal             BYTEA  NOT NULL,
    wrapped          BYTEA,
    document         TEXT   NOT NULL
);

CREATE INDEX managed_object_by_adapter ON managed_object (adapter, ordinal);
CREATE INDEX managed_object_by_root_key ON managed_object (root_key, root_key_version, ordinal);

-- What Locate finds objects by: hashes of adapter, attribute and value.
CREATE TABLE index_term (
    term    BYTEA  NOT NULL,
    ordinal BIGINT NOT NULL REFERENCES managed_object (ordinal),
    PRIMARY KEY (term, ordinal)
);

CREATE INDEX index_term_by_object ON index_term (ordinal);

-- `object` and `client` are what records are found by.
CREATE TABLE custody_record (
    sequence BIGINT NOT NULL PRIMARY KEY,
    leaf     BYTEA  NOT NULL,
    record   BYTEA  NOT NULL,
    object   TEXT COLLATE "C",
    client   BYTEA
);

CREATE INDEX custody_record_by_object ON custody_record (object, sequence) WHERE object IS NOT NULL;
CREATE INDEX custody_record_by_client ON custody_record (client, sequence) WHERE client IS NOT NULL;

-- The roots of full tiles: `position` n of level 1 is over the leaves 256 n up to 256 (n + 1), and so on upwards. Level 0 has
-- the leaves of records that were pruned.
CREATE TABLE custody_hash (
    level    BIGINT NOT NULL,
    position BIGINT NOT NULL,
    hash     BYTEA  NOT NULL,
    PRIMARY KEY (level, position)
);

-- Checkpoints as signed notes, with all signatures that were gathered.
CREATE TABLE custody_checkpoint (
    size BIGINT NOT NULL PRIMARY KEY,
    time BIGINT NOT NULL,
    note TEXT   NOT NULL
);

-- One row. `frontier` and `anchor` are the compact ranges over `size` and over `anchor_size` records; records before number
-- `prune_below` are to go. Whoever writes locks the row first: so servers write one after another.
CREATE TABLE custody_head (
    id          BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    size        BIGINT NOT NULL,
    root        BYTEA  NOT NULL,
    frontier    BYTEA  NOT NULL,
    anchor_size BIGINT NOT NULL,
    anchor      BYTEA  NOT NULL,
    prune_below BIGINT NOT NULL DEFAULT 0
);

-- The root of the empty tree is the SHA-256 of nothing.
INSERT INTO custody_head (id, size, root, frontier, anchor_size, anchor)
VALUES (1, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '', 0, '');

-- One row. How often it was changed who may come in, and to what: each server reads that again when it has grown.
CREATE TABLE identity_generation (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    number BIGINT NOT NULL
);

INSERT INTO identity_generation (id, number) VALUES (1, 0);
