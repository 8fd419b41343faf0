ALTER TABLE api_keys DROP COLUMN cost_per_second;
ALTER TABLE api_keys DROP COLUMN scopes;
