DROP INDEX audit_log_subject;
DROP TABLE retired_codes;
