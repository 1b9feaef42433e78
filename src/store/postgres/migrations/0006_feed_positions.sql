-- How far each live feed of the custody log has delivered it, in the words of the feed: one server delivers a feed at a time.
CREATE TABLE feed_position (
    name     TEXT NOT NULL PRIMARY KEY,
    position TEXT NOT NULL
);
