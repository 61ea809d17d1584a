-- Originals that were taken and stay in their inbox, one row a path, as each was when it was last seen to be ours.
-- The time is text: dates after 2262 have more nanoseconds than a number holds.
CREATE TABLE originals (
    inbox      BLOB NOT NULL,
    path       BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    mtime_ns   TEXT NOT NULL,
    drop_key   TEXT NOT NULL REFERENCES drops (key),
    PRIMARY KEY (inbox, path)
) STRICT, WITHOUT ROWID;
