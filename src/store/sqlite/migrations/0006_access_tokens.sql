-- Bearer tokens of the administration interface. Of the secret there is the SHA-256 alone; `adapters` has the 16 bytes of each
-- adapter that the token is for, one after the other, or NULL where it is for all.
CREATE TABLE access_token (
    id            BLOB    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    secret_sha256 BLOB    NOT NULL UNIQUE,
    role          TEXT    NOT NULL,
    adapters      BLOB,
    created_at    INTEGER NOT NULL,
    created_by    TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL,
    sealed_by     BLOB    NOT NULL REFERENCES root_key (id),
    seal          BLOB    NOT NULL
) STRICT;

-- Who made an adapter and who added a certificate. A column that is NULL, as in earlier rows, is left out of the seal.
ALTER TABLE adapter ADD COLUMN created_by TEXT;
ALTER TABLE client_certificate ADD COLUMN added_by TEXT;
