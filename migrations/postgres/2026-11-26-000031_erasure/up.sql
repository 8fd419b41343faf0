-- Codes that erased people had chosen, as keyed hashes of their folded form: they say a name, and are never given out again.
CREATE TABLE retired_codes (
    hash bytea NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL
);
CREATE INDEX audit_log_subject ON audit_log (subject, id);
