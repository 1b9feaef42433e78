-- What proofs are made from, what was signed, and what records are found by.

-- The roots of full tiles: `position` n of level 1 is over the leaves 256 n up to 256 (n + 1), and so on upwards. The leaves
-- are in `custody_record`. Of records that were there before, a start makes them.
CREATE TABLE custody_hash (
    level    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

-- Checkpoints as signed notes, with all signatures that were gathered; `time` in microseconds since 1970.
CREATE TABLE custody_checkpoint (
    size INTEGER NOT NULL PRIMARY KEY,
    time INTEGER NOT NULL,
    note TEXT    NOT NULL
) STRICT;

-- The identifier of the object, and the SHA-256 of the client's certificate (or of the one that the event is about).
ALTER TABLE custody_record ADD COLUMN object TEXT;
ALTER TABLE custody_record ADD COLUMN client BLOB;

UPDATE custody_record
SET object = json_extract(CAST(record AS TEXT), '$.object.identifier'),
    client = unhex(coalesce(
        json_extract(CAST(record AS TEXT), '$.actor.certificate'),
        json_extract(CAST(record AS TEXT), '$.certificate.fingerprint')))
WHERE json_valid(CAST(record AS TEXT));

CREATE INDEX custody_record_by_object ON custody_record (object) WHERE object IS NOT NULL;
CREATE INDEX custody_record_by_client ON custody_record (client) WHERE client IS NOT NULL;
