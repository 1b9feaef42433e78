-- How much the clients of an adapter may have and do; what is NULL has no bound. Programs that do not know of it heed no quota,
-- and delete it with its adapter.
CREATE TABLE adapter_quota (
    id                  BLOB NOT NULL PRIMARY KEY REFERENCES adapter (id) ON DELETE CASCADE,
    keys                INTEGER,
    requests_per_second INTEGER,
    connections         INTEGER,
    sealed_by           BLOB NOT NULL REFERENCES root_key (id),
    seal                BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- How many objects with key bytes an adapter has: counted when its keys are bounded, and kept up by each commit from then on.
CREATE TABLE adapter_usage (
    id   BLOB NOT NULL PRIMARY KEY REFERENCES adapter (id) ON DELETE CASCADE,
    keys INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
