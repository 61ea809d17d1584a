-- The first shape of the ledger. Times are microseconds since 1970 in UTC. Paths are bytes: a file name
-- need not be text. What is asked for stands in columns, the rest of a job in two JSON documents: `fixed`
-- never changes after admission, `moving` is written at every step.
--
-- The guards below repeat what lifecycle.py decides, so that not even a bug can buy twice in silence.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta VALUES ('identity', lower(hex(randomblob(12))));

-- Filled from lifecycle.allowed() at every opening.
CREATE TABLE transitions (
    before TEXT NOT NULL,
    after  TEXT NOT NULL,
    PRIMARY KEY (before, after)
) STRICT, WITHOUT ROWID;

CREATE TABLE owners (
    owner TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE drops (
    key         TEXT PRIMARY KEY,
    inbox       BLOB NOT NULL,
    path        BLOB NOT NULL,
    place       BLOB NOT NULL,
    rule        TEXT NOT NULL,
    rule_digest TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('image', 'prompt')),
    state       TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed', 'held')),
    admitted_at INTEGER NOT NULL,
    document    TEXT NOT NULL,
    unrested    INTEGER NOT NULL DEFAULT 0 CHECK (unrested >= 0),
    revision    INTEGER NOT NULL
) STRICT;

CREATE INDEX drops_admitted ON drops (admitted_at, key);
CREATE INDEX drops_content ON drops (sha256, admitted_at);
CREATE INDEX drops_ripe ON drops (admitted_at, key) WHERE state = 'open' AND unrested = 0;

CREATE TABLE jobs (
    key        TEXT PRIMARY KEY,
    drop_key   TEXT NOT NULL REFERENCES drops (key),
    rule       TEXT NOT NULL,
    inbox      BLOB NOT NULL,
    source     TEXT NOT NULL, -- case-folded, for searching
    stage      TEXT NOT NULL CHECK (stage IN ('queued', 'submitting', 'running', 'cancelling', 'fetching',
                                              'delivering', 'delivered', 'in_doubt', 'failed', 'cancelled')),
    standing   TEXT NOT NULL CHECK (standing IN ('ready', 'waiting', 'taken', 'resting')),
    owner      TEXT,
    priority   INTEGER NOT NULL,
    not_before INTEGER,
    created_at INTEGER NOT NULL,
    fixed      TEXT NOT NULL,
    moving     TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    CHECK ((standing = 'taken') = (owner IS NOT NULL)),
    CHECK (standing <> 'waiting' OR not_before IS NOT NULL),
    CHECK ((standing = 'resting') = (stage IN ('delivered', 'in_doubt', 'failed', 'cancelled')))
) STRICT;

CREATE INDEX jobs_drop ON jobs (drop_key);
CREATE INDEX jobs_created ON jobs (created_at, key);
CREATE INDEX jobs_stage ON jobs (stage, created_at, key);
-- The order in which these three stand is the order in which work is handed out.
CREATE INDEX jobs_open ON jobs (created_at, key) WHERE standing = 'ready' AND stage <> 'queued';
CREATE INDEX jobs_fresh ON jobs (priority, inbox, created_at, key) WHERE standing = 'ready' AND stage = 'queued';
CREATE INDEX jobs_waiting ON jobs (not_before) WHERE standing = 'waiting';
CREATE INDEX jobs_taken ON jobs (owner) WHERE standing = 'taken';

CREATE TABLE tally (
    inbox BLOB NOT NULL,
    stage TEXT NOT NULL,
    jobs  INTEGER NOT NULL,
    PRIMARY KEY (inbox, stage)
) STRICT, WITHOUT ROWID;

CREATE TABLE drop_tally (
    state TEXT PRIMARY KEY,
    drops INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE submissions (
    job          TEXT NOT NULL REFERENCES jobs (key),
    attempt      INTEGER NOT NULL,
    begun_at     INTEGER NOT NULL,
    remote_id    TEXT,
    accepted_at  INTEGER,
    completed_at INTEGER,
    outcome      TEXT, -- the event that ended it; NULL while it may cost or bring something
    PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX submissions_live ON submissions (job) WHERE outcome IS NULL;
CREATE INDEX submissions_begun ON submissions (begun_at);
CREATE INDEX submissions_remote ON submissions (remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX submissions_completed ON submissions (completed_at) WHERE completed_at IS NOT NULL;

CREATE TABLE uploads (
    id          INTEGER PRIMARY KEY,
    sha256      TEXT NOT NULL,
    upload_id   TEXT NOT NULL,
    valid_until INTEGER NOT NULL,
    made_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX uploads_content ON uploads (sha256, valid_until);
CREATE INDEX uploads_made ON uploads (made_at);

CREATE TABLE history (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    drop_key TEXT NOT NULL REFERENCES drops (key),
    job_key  TEXT REFERENCES jobs (key),
    event    TEXT NOT NULL,
    before   TEXT NOT NULL,
    after    TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    detail   TEXT NOT NULL
) STRICT;

CREATE INDEX history_drop ON history (drop_key);

-- Guards ------------------------------------------------------------------------------------------------

CREATE TRIGGER jobs_move_by_the_table BEFORE UPDATE OF stage ON jobs
WHEN NOT EXISTS (SELECT 1 FROM transitions WHERE before = OLD.stage AND after = NEW.stage)
BEGIN
    SELECT RAISE(ABORT, 'illegal transition');
END;

CREATE TRIGGER jobs_stay BEFORE DELETE ON jobs
BEGIN
    SELECT RAISE(ABORT, 'jobs are not deleted');
END;

CREATE TRIGGER jobs_orders_stay BEFORE UPDATE OF key, drop_key, fixed, created_at ON jobs
BEGIN
    SELECT RAISE(ABORT, 'an order does not change after its admission');
END;

CREATE TRIGGER submissions_remote_id_once BEFORE UPDATE OF remote_id ON submissions
WHEN OLD.remote_id IS NOT NULL AND NEW.remote_id IS NOT OLD.remote_id
BEGIN
    SELECT RAISE(ABORT, 'a remote id is written once');
END;

CREATE TRIGGER submissions_end_once BEFORE UPDATE OF outcome ON submissions
WHEN OLD.outcome IS NOT NULL AND NEW.outcome IS NOT OLD.outcome
BEGIN
    SELECT RAISE(ABORT, 'a submission ends once');
END;

CREATE TRIGGER submissions_stay BEFORE DELETE ON submissions
BEGIN
    SELECT RAISE(ABORT, 'submissions are not deleted');
END;

CREATE TRIGGER history_is_not_rewritten BEFORE UPDATE ON history
BEGIN
    SELECT RAISE(ABORT, 'history is append-only');
END;

CREATE TRIGGER history_stays BEFORE DELETE ON history
BEGIN
    SELECT RAISE(ABORT, 'history is append-only');
END;

-- Counters: what is asked every second must not cost a scan ----------------------------------------------

CREATE TRIGGER jobs_count_new AFTER INSERT ON jobs
BEGIN
    INSERT INTO tally VALUES (NEW.inbox, NEW.stage, 1)
        ON CONFLICT (inbox, stage) DO UPDATE SET jobs = jobs + 1;
    UPDATE drops SET unrested = unrested + 1 WHERE key = NEW.drop_key AND NEW.standing <> 'resting';
END;

CREATE TRIGGER jobs_count_moved AFTER UPDATE OF stage ON jobs
WHEN OLD.stage <> NEW.stage
BEGIN
    UPDATE tally SET jobs = jobs - 1 WHERE inbox = OLD.inbox AND stage = OLD.stage;
    INSERT INTO tally VALUES (NEW.inbox, NEW.stage, 1)
        ON CONFLICT (inbox, stage) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER jobs_count_rested AFTER UPDATE OF standing ON jobs
WHEN (OLD.standing = 'resting') <> (NEW.standing = 'resting')
BEGIN
    UPDATE drops SET unrested = unrested + CASE NEW.standing WHEN 'resting' THEN -1 ELSE 1 END
        WHERE key = NEW.drop_key;
END;

CREATE TRIGGER drops_count_new AFTER INSERT ON drops
BEGIN
    INSERT INTO drop_tally VALUES (NEW.state, 1)
        ON CONFLICT (state) DO UPDATE SET drops = drops + 1;
END;

CREATE TRIGGER drops_count_moved AFTER UPDATE OF state ON drops
WHEN OLD.state <> NEW.state
BEGIN
    UPDATE drop_tally SET drops = drops - 1 WHERE state = OLD.state;
    INSERT INTO drop_tally VALUES (NEW.state, 1)
        ON CONFLICT (state) DO UPDATE SET drops = drops + 1;
END;
