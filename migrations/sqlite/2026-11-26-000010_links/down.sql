DROP INDEX clicks_visit;
ALTER TABLE clicks DROP COLUMN earlier;
ALTER TABLE clicks DROP COLUMN user_agent_hash;
ALTER TABLE clicks DROP COLUMN visit_key;
ALTER TABLE programs DROP COLUMN click_parameter;
ALTER TABLE programs DROP COLUMN ref_parameter;
ALTER TABLE programs DROP COLUMN landing_url;
