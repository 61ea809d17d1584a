-- The contents of the files of whole folders: what was bought for one is not bought again in another folder.
CREATE TABLE members (
    sha256   TEXT NOT NULL,
    drop_key TEXT NOT NULL REFERENCES drops (key),
    PRIMARY KEY (sha256, drop_key)
) STRICT, WITHOUT ROWID;
