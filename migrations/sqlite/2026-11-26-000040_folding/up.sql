-- The twin of a migration that makes folding cheaper on PostgreSQL. Here foreign keys are look-ups in the same process
-- without locks, and neither pages nor queues need settings: nothing changes.
SELECT 1;
