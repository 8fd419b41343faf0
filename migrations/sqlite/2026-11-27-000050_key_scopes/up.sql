-- What a server key may do, as words with spaces between them; everything when there are none, as in keys that were made
-- before. How much may be asked for with a key, in cost of documents a second; no limit when there is none.
ALTER TABLE api_keys ADD COLUMN scopes text;
ALTER TABLE api_keys ADD COLUMN cost_per_second integer CHECK (cost_per_second > 0);
