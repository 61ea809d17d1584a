-- What waits for its budget is asked for rule by rule, so that no rule keeps the jobs of another asleep.

CREATE INDEX jobs_parked_rule ON jobs (rule, created_at, key) WHERE parked = 1;
