-- How much the clients of an adapter may have and do; what is NULL has no bound. Programs that do not know of it heed no quota,
-- and delete it with its adapter.
CREATE TABLE adapter_quota (
    id                  BYTEA NOT NULL PRIMARY KEY REFERENCES adapter (id) ON DELETE CASCADE,
    keys                BIGINT,
    requests_per_second BIGINT,
    connections         BIGINT,
    sealed_by           BYTEA NOT NULL REFERENCES root_key (id),
    seal                BYTEA NOT NULL
);

-- How many objects with key bytes an adapter has: counted when its keys are bounded, and kept up by each commit from then on.
CREATE TABLE adapter_usage (
    id   BYTEA NOT NULL PRIMARY KEY REFERENCES adapter (id) ON DELETE CASCADE,
    keys BIGINT NOT NULL
);
