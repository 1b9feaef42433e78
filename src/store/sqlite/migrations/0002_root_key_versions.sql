-- Versions of root keys that another has taken the place of. The present version is in `root_key` itself, so a database
-- of the first form needs no row here.
CREATE TABLE root_key_version (
    id            BLOB    NOT NULL REFERENCES root_key (id),
    version       INTEGER NOT NULL,
    label         TEXT    NOT NULL,
    check_value   BLOB    NOT NULL,
    superseded_at INTEGER NOT NULL,
    seal          BLOB    NOT NULL,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

-- Which keys are under which version: what a rotation still has to do, and what a version is still needed for.
CREATE INDEX managed_object_by_root_key ON managed_object (root_key, root_key_version);
