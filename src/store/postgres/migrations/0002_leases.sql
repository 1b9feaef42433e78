-- What one server at a time does, who does it, and until when it is theirs, in microseconds since 1970 by the database's clock.
CREATE TABLE lease (
    name   TEXT   NOT NULL PRIMARY KEY,
    holder TEXT   NOT NULL,
    until  BIGINT NOT NULL
);
