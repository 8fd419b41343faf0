-- Evidence of fraud, what it comes to, and the locks under which it is weighed.

-- Who is credited with the signup; what the e-mail address comes to without dots and tags (`alias_hash`), as it is
-- spelled (`email_hash`), and its domain. The `former` hashes are made with the key before the present one, so that what
-- came in before a change of the key is still recognised.
ALTER TABLE evidence ADD COLUMN referrer_id BLOB;
ALTER TABLE evidence ADD COLUMN email_hash BLOB;
ALTER TABLE evidence ADD COLUMN alias_hash BLOB;
ALTER TABLE evidence ADD COLUMN domain_hash BLOB;
ALTER TABLE evidence ADD COLUMN disposable BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE evidence ADD COLUMN former_ip_hash BLOB;
ALTER TABLE evidence ADD COLUMN former_network_hash BLOB;
ALTER TABLE evidence ADD COLUMN former_device_hash BLOB;
ALTER TABLE evidence ADD COLUMN former_alias_hash BLOB;
ALTER TABLE evidence ADD COLUMN former_domain_hash BLOB;
-- An address is looked for within its network, among the people of one referrer.
DROP INDEX evidence_ip;
CREATE INDEX evidence_network ON evidence (referrer_id, network_hash, user_id)
    WHERE referrer_id IS NOT NULL AND network_hash IS NOT NULL;
CREATE INDEX evidence_alias ON evidence (alias_hash) WHERE alias_hash IS NOT NULL;
CREATE INDEX evidence_created ON evidence (created_at);

-- A row is locked while the signups of one referrer are weighed. It holds nothing: what is weighed has rows of its own.
CREATE TABLE fraud_rows (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id)
) WITHOUT ROWID;

-- What the signs against a referral came to. `rejected_no` is the place of its rejection in the order of decisions.
CREATE TABLE risks (
    referred_id BLOB NOT NULL PRIMARY KEY REFERENCES referrals (referred_id),
    standing text NOT NULL CHECK (standing IN ('CLEAR', 'HELD', 'BLOCKED', 'APPROVED', 'DENIED')),
    score INTEGER NOT NULL CHECK (score >= 0),
    program_version INTEGER NOT NULL,
    rejected_no BIGINT,
    changed_at BIGINT NOT NULL,
    CHECK ((standing IN ('BLOCKED', 'DENIED')) = (rejected_no IS NOT NULL))
) WITHOUT ROWID;
CREATE UNIQUE INDEX risks_rejected ON risks (rejected_no) WHERE rejected_no IS NOT NULL;

-- `seq` is the place in the order of decisions at which the referral came to review, `decided_no` that of the review.
CREATE INDEX reviews_referral ON reviews (referred_id, id);
CREATE UNIQUE INDEX reviews_pending ON reviews (referred_id) WHERE status = 'PENDING';
CREATE INDEX reviews_seq ON reviews (seq);
CREATE INDEX reviews_decided ON reviews (decided_no) WHERE decided_no IS NOT NULL;

CREATE INDEX listings_hash ON listings (subject_hash);
-- Clicks whose hashes are still to be purged.
CREATE INDEX clicks_hashed ON clicks (created_at) WHERE ip_hash IS NOT NULL OR visit_key IS NOT NULL;
