-- Money. A submission is booked on a day and a month when it begins, with what it costs; `spend` sums that up, so that
-- a budget is asked without a scan. What was certainly not accepted is given back when it ends.
--
-- A new stage, `held`, widens two checks of a table that must not be rebuilt: history and submissions refer to it.
-- The database manual's own way to change a CHECK (lang_altertable, section 7) is to edit the schema's text.

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql,
        'CHECK (stage IN (''queued'', ', 'CHECK (stage IN (''queued'', ''held'', '),
        '(stage IN (''delivered'', ''in_doubt'', ', '(stage IN (''delivered'', ''held'', ''in_doubt'', ')
    WHERE type = 'table' AND name = 'jobs';
PRAGMA writable_schema = RESET;

ALTER TABLE jobs ADD COLUMN parked INTEGER NOT NULL DEFAULT 0; -- 1: it waits for nothing but its budget
CREATE INDEX jobs_parked ON jobs (inbox, created_at, key) WHERE parked = 1;

ALTER TABLE submissions ADD COLUMN day TEXT NOT NULL DEFAULT '';
ALTER TABLE submissions ADD COLUMN month TEXT NOT NULL DEFAULT '';
ALTER TABLE submissions ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE submissions ADD COLUMN images INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submissions ADD COLUMN operations INTEGER NOT NULL DEFAULT 0;

UPDATE submissions SET
    day = strftime('%Y-%m-%d', begun_at / 1000000, 'unixepoch', 'localtime'),
    month = strftime('%Y-%m', begun_at / 1000000, 'unixepoch', 'localtime'),
    rule = (SELECT rule FROM jobs WHERE key = job),
    images = (SELECT coalesce(json_extract(fixed, '$.order.results'), json_extract(fixed, '$.order.images'), 1) FROM jobs WHERE key = job),
    operations = (SELECT coalesce(json_extract(fixed, '$.order.images'), 1) FROM jobs WHERE key = job);

CREATE TABLE spend (
    day        TEXT NOT NULL,
    month      TEXT NOT NULL,
    rule       TEXT NOT NULL,
    images     INTEGER NOT NULL,
    operations INTEGER NOT NULL,
    PRIMARY KEY (day, month, rule)
) STRICT, WITHOUT ROWID;

CREATE INDEX spend_month ON spend (month);

INSERT INTO spend
    SELECT day, month, rule, sum(images), sum(operations) FROM submissions
    WHERE NOT (remote_id IS NULL AND outcome IS NOT NULL AND outcome IN ('Declined', 'GaveUp'))
    GROUP BY day, month, rule;

CREATE TRIGGER submissions_spend AFTER INSERT ON submissions
BEGIN
    INSERT INTO spend VALUES (NEW.day, NEW.month, NEW.rule, NEW.images, NEW.operations)
        ON CONFLICT (day, month, rule) DO UPDATE SET
            images = images + excluded.images, operations = operations + excluded.operations;
END;

CREATE TRIGGER submissions_give_back AFTER UPDATE OF outcome ON submissions
WHEN OLD.outcome IS NULL AND NEW.remote_id IS NULL AND NEW.outcome IN ('Declined', 'GaveUp')
BEGIN
    UPDATE spend SET images = images - NEW.images, operations = operations - NEW.operations
        WHERE day = NEW.day AND month = NEW.month AND rule = NEW.rule;
END;

CREATE TRIGGER submissions_stay_booked BEFORE UPDATE OF day, month, rule, images, operations ON submissions
BEGIN
    SELECT RAISE(ABORT, 'what is booked stays booked');
END;
