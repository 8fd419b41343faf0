-- Signups from one network about one time, whoever is credited with them.
CREATE INDEX evidence_burst ON evidence (network_hash, created_at) WHERE network_hash IS NOT NULL;
