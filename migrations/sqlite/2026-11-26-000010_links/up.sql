-- Links: where a program's links lead, and what tells one visit from another.

-- No page of its own: the landing page of the installation.
ALTER TABLE programs ADD COLUMN landing_url text;
ALTER TABLE programs ADD COLUMN ref_parameter text NOT NULL DEFAULT 'ref';
ALTER TABLE programs ADD COLUMN click_parameter text NOT NULL DEFAULT 'click_id';

-- `visit_key` is one visitor, code and hour as a keyed hash: a second click of the same visit is the first one.
-- `earlier` are the clicks that the browser brought along, oldest first: what a back end that knows one click learns of
-- the others.
ALTER TABLE clicks ADD COLUMN visit_key BLOB;
ALTER TABLE clicks ADD COLUMN user_agent_hash BLOB;
ALTER TABLE clicks ADD COLUMN earlier text;
CREATE UNIQUE INDEX clicks_visit ON clicks (visit_key) WHERE visit_key IS NOT NULL;
