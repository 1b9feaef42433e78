-- What the clients of an adapter set for all of its objects: constraints and defaults. A document is in the form of its own
-- kind; `id` is that of the adapter.
CREATE TABLE adapter_setting (
    id        BLOB NOT NULL REFERENCES adapter (id),
    kind      TEXT NOT NULL,
    document  BLOB NOT NULL,
    sealed_by BLOB NOT NULL REFERENCES root_key (id),
    seal      BLOB NOT NULL,
    PRIMARY KEY (id, kind)
) STRICT, WITHOUT ROWID;
