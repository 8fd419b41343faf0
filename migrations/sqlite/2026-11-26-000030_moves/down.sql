ALTER TABLE referral_moves DROP COLUMN from_click_id;
ALTER TABLE referral_moves DROP COLUMN from_code;
ALTER TABLE referral_moves DROP COLUMN from_via;
