-- One row. Programs that know schema `oldest` or a later one can work with this database. A migration that they can't work with any
-- more sets it to its own number; all others leave it (docs/development.md).
CREATE TABLE schema_compatibility (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    oldest INTEGER NOT NULL
) STRICT;

INSERT INTO schema_compatibility (id, oldest) VALUES (1, 10);
