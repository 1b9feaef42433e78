-- The life of root keys and of their versions. A column that is NULL is left out of the seal, so that rows of the earlier
-- forms keep theirs: a root key without `life` is enabled, a version without it is kept, and one without `origin` was made
-- on its device.
ALTER TABLE root_key ADD COLUMN life TEXT;
ALTER TABLE root_key ADD COLUMN origin TEXT;
ALTER TABLE root_key_version ADD COLUMN life TEXT;
ALTER TABLE root_key_version ADD COLUMN origin TEXT;
