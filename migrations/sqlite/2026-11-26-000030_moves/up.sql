-- What a move takes off a referral: how it had come about before. None for somebody who had no referrer.
ALTER TABLE referral_moves ADD COLUMN from_via text CHECK (from_via IN ('CODE', 'LINK', 'IMPORT', 'MOVE'));
ALTER TABLE referral_moves ADD COLUMN from_code text;
ALTER TABLE referral_moves ADD COLUMN from_click_id BLOB;
