-- What was done to a copy before it was uploaded, in words; empty where the file went as it was.
ALTER TABLE uploads ADD COLUMN prepared TEXT NOT NULL DEFAULT '';
