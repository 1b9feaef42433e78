-- Pruning: records before number `prune_below` are to go, as a record of the log says. Their leaves stay, in `custody_hash` as
-- level 0.
ALTER TABLE custody_head ADD COLUMN prune_below INTEGER NOT NULL DEFAULT 0;
