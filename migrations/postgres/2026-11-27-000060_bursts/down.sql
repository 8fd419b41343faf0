DROP INDEX evidence_burst;
