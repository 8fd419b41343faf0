-- The foundation: every table of the house. The twin of this file for the other database differs only in the names
-- of the types; a test compares both with src/store/schema.rs. Times are set by the application, never by the database.

-- People and the tree ------------------------------------------------------------------------------------------------

CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY,
    external_id text NOT NULL UNIQUE CHECK (length(external_id) BETWEEN 1 AND 255),
    display_name text,
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'SUSPENDED', 'ERASED')),
    email_hash BLOB,
    phone_hash BLOB,
    created_at BIGINT NOT NULL
);
CREATE INDEX users_email ON users (email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX users_phone ON users (phone_hash) WHERE phone_hash IS NOT NULL;

CREATE TABLE programs (
    id BLOB NOT NULL PRIMARY KEY,
    key text NOT NULL UNIQUE,
    name text NOT NULL,
    currency text NOT NULL,
    time_zone text NOT NULL,
    status text NOT NULL CHECK (status IN ('DRAFT', 'ACTIVE', 'PAUSED', 'ENDED')),
    version INTEGER NOT NULL CHECK (version >= 1),
    starts_at BIGINT,
    ends_at BIGINT,
    was_active BOOLEAN NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

-- Every change of a program is a new row; rows are never changed.
CREATE TABLE program_versions (
    program_id BLOB NOT NULL REFERENCES programs (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    definition text NOT NULL,
    actor text NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (program_id, version)
) WITHOUT ROWID;

-- `key` is the folded form, the only one that is looked up; a code is never reused.
CREATE TABLE codes (
    key text NOT NULL PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 32),
    shown text NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    program_id BLOB NOT NULL REFERENCES programs (id),
    kind text NOT NULL CHECK (kind IN ('GENERATED', 'VANITY')),
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'DISABLED')),
    expires_at BIGINT,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX codes_user ON codes (user_id);

-- The edges of the tree, at most one per referred user, ever. A referral has no id of its own: it is its referred user's.
CREATE TABLE referrals (
    referred_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id),
    referrer_id BLOB NOT NULL REFERENCES users (id),
    program_id BLOB NOT NULL REFERENCES programs (id),
    status text NOT NULL CHECK (status IN ('PENDING', 'COMPLETED', 'REJECTED')),
    via text NOT NULL CHECK (via IN ('CODE', 'LINK', 'IMPORT', 'MOVE')),
    code text,
    click_id BLOB,
    risk_score INTEGER NOT NULL DEFAULT 0 CHECK (risk_score >= 0),
    created_at BIGINT NOT NULL,
    completed_at BIGINT,
    rejected_at BIGINT,
    CHECK (referred_id <> referrer_id),
    CHECK ((status = 'COMPLETED') = (completed_at IS NOT NULL)),
    CHECK ((status = 'REJECTED') = (rejected_at IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX referrals_children ON referrals (referrer_id, referred_id);
CREATE INDEX referrals_children_by_status ON referrals (referrer_id, status, referred_id);
-- By time first and program second: a period is a range, and a planner without statistics never prefers these to the
-- rows of one referrer.
CREATE INDEX referrals_created ON referrals (created_at, program_id);
CREATE INDEX referrals_completed ON referrals (completed_at, program_id) WHERE completed_at IS NOT NULL;

CREATE TABLE referral_moves (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BLOB NOT NULL REFERENCES users (id),
    from_referrer_id BLOB REFERENCES users (id),
    to_referrer_id BLOB NOT NULL REFERENCES users (id),
    reason text NOT NULL,
    actor text NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX referral_moves_user ON referral_moves (user_id, id);

-- Counters of one user's network by level, folded from the referrals that are not rejected.
-- `version` rises with every change of a counter, reward, claim or balance of the user.
CREATE TABLE user_totals (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id),
    version BIGINT NOT NULL DEFAULT 0 CHECK (version >= 0),
    network INTEGER NOT NULL DEFAULT 0 CHECK (network >= 0),
    network_at BIGINT,
    signups_1 INTEGER NOT NULL DEFAULT 0 CHECK (signups_1 >= 0),
    signups_2 INTEGER NOT NULL DEFAULT 0 CHECK (signups_2 >= 0),
    signups_3 INTEGER NOT NULL DEFAULT 0 CHECK (signups_3 >= 0),
    signups_4 INTEGER NOT NULL DEFAULT 0 CHECK (signups_4 >= 0),
    signups_5 INTEGER NOT NULL DEFAULT 0 CHECK (signups_5 >= 0),
    signups_6 INTEGER NOT NULL DEFAULT 0 CHECK (signups_6 >= 0),
    signups_7 INTEGER NOT NULL DEFAULT 0 CHECK (signups_7 >= 0),
    signups_8 INTEGER NOT NULL DEFAULT 0 CHECK (signups_8 >= 0),
    signups_9 INTEGER NOT NULL DEFAULT 0 CHECK (signups_9 >= 0),
    signups_10 INTEGER NOT NULL DEFAULT 0 CHECK (signups_10 >= 0),
    completed_1 INTEGER NOT NULL DEFAULT 0 CHECK (completed_1 >= 0),
    completed_2 INTEGER NOT NULL DEFAULT 0 CHECK (completed_2 >= 0),
    completed_3 INTEGER NOT NULL DEFAULT 0 CHECK (completed_3 >= 0),
    completed_4 INTEGER NOT NULL DEFAULT 0 CHECK (completed_4 >= 0),
    completed_5 INTEGER NOT NULL DEFAULT 0 CHECK (completed_5 >= 0),
    completed_6 INTEGER NOT NULL DEFAULT 0 CHECK (completed_6 >= 0),
    completed_7 INTEGER NOT NULL DEFAULT 0 CHECK (completed_7 >= 0),
    completed_8 INTEGER NOT NULL DEFAULT 0 CHECK (completed_8 >= 0),
    completed_9 INTEGER NOT NULL DEFAULT 0 CHECK (completed_9 >= 0),
    completed_10 INTEGER NOT NULL DEFAULT 0 CHECK (completed_10 >= 0)
) WITHOUT ROWID;
CREATE INDEX user_totals_network ON user_totals (network DESC, network_at, user_id) WHERE network > 0;

-- Imported referrals that are in no counter and on no board yet. Those of one referrer stand together: what they add to the
-- chain above is then one change.
CREATE TABLE uncounted (
    referrer_id BLOB NOT NULL REFERENCES users (id),
    user_id BLOB NOT NULL REFERENCES users (id),
    PRIMARY KEY (referrer_id, user_id)
) WITHOUT ROWID;

-- Events, refunds and what was decided about them --------------------------------------------------------------------

-- `seq` is the place in the one shared insert sequence, `decided_no` the place in the order in which was decided.
CREATE TABLE events (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    seq BIGINT NOT NULL,
    event_type text NOT NULL CHECK (length(event_type) BETWEEN 1 AND 64),
    amount BIGINT CHECK (amount >= 0),
    currency text,
    key text NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint BLOB NOT NULL,
    metadata text,
    occurred_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    program_id BLOB REFERENCES programs (id),
    program_version INTEGER,
    program_active BOOLEAN NOT NULL,
    pays BOOLEAN NOT NULL DEFAULT 1,
    remaining BIGINT,
    decided_no BIGINT,
    decisions text,
    CHECK ((amount IS NULL) = (currency IS NULL)),
    CHECK ((program_id IS NULL) = (program_version IS NULL)),
    CHECK (remaining BETWEEN 0 AND amount)
);
CREATE UNIQUE INDEX events_user ON events (user_id, seq);
CREATE UNIQUE INDEX events_decided ON events (decided_no) WHERE decided_no IS NOT NULL;

-- A refund names its event by key and may come before it. No amount means all that is left.
CREATE TABLE refunds (
    id BLOB NOT NULL PRIMARY KEY,
    event_key text NOT NULL,
    event_id BLOB REFERENCES events (id),
    seq BIGINT NOT NULL,
    amount BIGINT CHECK (amount > 0),
    currency text,
    key text NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint BLOB NOT NULL,
    received_at BIGINT NOT NULL,
    applied BIGINT CHECK (applied >= 0),
    decided_no BIGINT,
    CHECK ((decided_no IS NULL) = (applied IS NULL))
);
CREATE INDEX refunds_event ON refunds (event_key, seq);
CREATE UNIQUE INDEX refunds_decided ON refunds (decided_no) WHERE decided_no IS NOT NULL;

-- What waits to be folded. A row names a user, or only the key of an event that was not there yet.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BLOB REFERENCES users (id),
    event_key text,
    attempts INTEGER NOT NULL DEFAULT 0,
    parked BOOLEAN NOT NULL DEFAULT 0,
    last_error text,
    created_at BIGINT NOT NULL,
    CHECK ((user_id IS NULL) <> (event_key IS NULL))
);
CREATE INDEX outbox_user ON outbox (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX outbox_parked ON outbox (seq) WHERE parked;

-- Row 1 is the gate: whoever folds shares it, whoever moves subtrees or recounts takes it alone. Row 2 is the mark of
-- somebody who waits to have it alone, since sharers overtake a waiter: until which second (Unix time) folding pauses.
CREATE TABLE fold_gate (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id IN (1, 2)),
    wanted_until_second BIGINT NOT NULL DEFAULT 0
);
INSERT INTO fold_gate (id) VALUES (1), (2);

-- Rewards, claims and the ledger -------------------------------------------------------------------------------------

CREATE TABLE claims (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    request_key text NOT NULL,
    currency text NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    netted BIGINT NOT NULL DEFAULT 0 CHECK (netted >= 0),
    status text NOT NULL CHECK (status IN ('REQUESTED', 'PAID', 'FAILED')),
    reference text UNIQUE,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    CHECK ((status = 'REQUESTED') = (settled_at IS NULL)),
    UNIQUE (user_id, request_key, currency)
);
CREATE INDEX claims_user ON claims (user_id, id);
CREATE INDEX claims_status ON claims (status, id);

-- The idempotency keys of claims, one namespace per user, kept for ever.
CREATE TABLE claim_requests (
    user_id BLOB NOT NULL REFERENCES users (id),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
) WITHOUT ROWID;

-- `amount` is what was granted, `net` what the rules grant now, `taken` what a claim took. Minor units of `currency`.
CREATE TABLE rewards (
    id BLOB NOT NULL PRIMARY KEY,
    user_id BLOB NOT NULL REFERENCES users (id),
    event_id BLOB NOT NULL REFERENCES events (id),
    referred_id BLOB NOT NULL REFERENCES referrals (referred_id),
    program_id BLOB NOT NULL REFERENCES programs (id),
    program_version INTEGER NOT NULL,
    rule_key text NOT NULL,
    kind text NOT NULL,
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 10),
    currency text NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    net BIGINT NOT NULL CHECK (net BETWEEN 0 AND amount),
    taken BIGINT NOT NULL DEFAULT 0 CHECK (taken BETWEEN 0 AND amount),
    status text NOT NULL CHECK (status IN ('PENDING', 'AVAILABLE', 'WITHHELD', 'CLAIMED', 'PAID', 'REVERSED', 'EXPIRED')),
    explanation text NOT NULL,
    available_at BIGINT NOT NULL,
    expires_at BIGINT,
    claim_id BLOB REFERENCES claims (id),
    changed_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK ((status IN ('CLAIMED', 'PAID')) = (claim_id IS NOT NULL)),
    UNIQUE (event_id, rule_key, level)
);
CREATE INDEX rewards_user ON rewards (user_id, id);
CREATE INDEX rewards_changed ON rewards (user_id, changed_version);
CREATE INDEX rewards_available ON rewards (user_id, id) WHERE status IN ('AVAILABLE', 'PENDING');
CREATE INDEX rewards_pending ON rewards (available_at) WHERE status = 'PENDING';
CREATE INDEX rewards_expiring ON rewards (expires_at) WHERE status = 'AVAILABLE' AND expires_at IS NOT NULL;
CREATE INDEX rewards_claim ON rewards (claim_id) WHERE claim_id IS NOT NULL;
CREATE INDEX rewards_granted ON rewards (created_at, program_id);

CREATE TABLE reward_moves (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reward_id BLOB NOT NULL REFERENCES rewards (id),
    from_status text NOT NULL,
    to_status text NOT NULL,
    net BIGINT NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX reward_moves_reward ON reward_moves (reward_id, id);

-- Balances of one user in one currency, each the sum of its transfers; `debt` is what the user owes.
CREATE TABLE accounts (
    user_id BLOB NOT NULL REFERENCES users (id),
    currency text NOT NULL,
    pending BIGINT NOT NULL DEFAULT 0 CHECK (pending >= 0),
    available BIGINT NOT NULL DEFAULT 0 CHECK (available >= 0),
    withheld BIGINT NOT NULL DEFAULT 0 CHECK (withheld >= 0),
    claimed BIGINT NOT NULL DEFAULT 0 CHECK (claimed >= 0),
    paid BIGINT NOT NULL DEFAULT 0 CHECK (paid >= 0),
    debt BIGINT NOT NULL DEFAULT 0 CHECK (debt >= 0),
    PRIMARY KEY (user_id, currency)
) WITHOUT ROWID;

-- One double-entry movement: `amount` leaves one account and enters the other. Rows are never changed.
CREATE TABLE transfers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id BLOB NOT NULL REFERENCES users (id),
    currency text NOT NULL,
    from_account text NOT NULL CHECK (from_account IN ('ISSUER', 'PENDING', 'AVAILABLE', 'WITHHELD', 'CLAIMED', 'PAID', 'DEBT')),
    to_account text NOT NULL CHECK (to_account IN ('ISSUER', 'PENDING', 'AVAILABLE', 'WITHHELD', 'CLAIMED', 'PAID', 'DEBT')),
    amount BIGINT NOT NULL CHECK (amount > 0),
    reward_id BLOB REFERENCES rewards (id),
    claim_id BLOB REFERENCES claims (id),
    reason text NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (from_account <> to_account),
    CHECK (reward_id IS NOT NULL OR claim_id IS NOT NULL)
);
CREATE INDEX transfers_account ON transfers (user_id, currency, id);

CREATE TABLE caps (
    program_id BLOB NOT NULL REFERENCES programs (id),
    rule_key text NOT NULL,
    scope text NOT NULL,
    starts_at BIGINT NOT NULL,
    used_count BIGINT NOT NULL DEFAULT 0 CHECK (used_count >= 0),
    used_amount BIGINT NOT NULL DEFAULT 0 CHECK (used_amount >= 0),
    PRIMARY KEY (program_id, rule_key, scope, starts_at)
);

-- Leaderboards -------------------------------------------------------------------------------------------------------

CREATE TABLE boards (
    program_id BLOB NOT NULL REFERENCES programs (id),
    metric text NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    day_starts_at BIGINT NOT NULL,
    PRIMARY KEY (program_id, metric)
);

CREATE TABLE board_deltas (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    program_id BLOB NOT NULL REFERENCES programs (id),
    metric text NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    amount BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX board_deltas_board ON board_deltas (program_id, metric, id);

-- `starts_at` is the first instant of the period in the program's time zone; the epoch for all time.
CREATE TABLE board_scores (
    program_id BLOB NOT NULL REFERENCES programs (id),
    metric text NOT NULL,
    period text NOT NULL CHECK (period IN ('DAY', 'WEEK', 'MONTH', 'ALL_TIME')),
    starts_at BIGINT NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    score BIGINT NOT NULL CHECK (score >= 0),
    reached_at BIGINT NOT NULL,
    PRIMARY KEY (program_id, metric, period, starts_at, user_id)
) WITHOUT ROWID;
CREATE INDEX board_scores_rank ON board_scores (program_id, metric, period, starts_at, score DESC, reached_at, user_id);

-- How many users have a score in one bucket: for counts a bucket is one score, for amounts a range of them.
CREATE TABLE board_histogram (
    program_id BLOB NOT NULL REFERENCES programs (id),
    metric text NOT NULL,
    period text NOT NULL,
    starts_at BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    users BIGINT NOT NULL CHECK (users >= 0),
    PRIMARY KEY (program_id, metric, period, starts_at, bucket)
) WITHOUT ROWID;

-- Clicks, fraud and review -------------------------------------------------------------------------------------------

CREATE TABLE clicks (
    id BLOB NOT NULL PRIMARY KEY,
    code_key text NOT NULL REFERENCES codes (key),
    program_id BLOB NOT NULL REFERENCES programs (id),
    user_id BLOB NOT NULL REFERENCES users (id),
    ip_hash BLOB,
    network_hash BLOB,
    device_hash BLOB,
    utm text,
    created_at BIGINT NOT NULL
);
CREATE INDEX clicks_created ON clicks (created_at);

-- What came with a signup, as keyed hashes only; purged after the configured time.
CREATE TABLE evidence (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id),
    ip_hash BLOB,
    network_hash BLOB,
    device_hash BLOB,
    user_agent_hash BLOB,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX evidence_ip ON evidence (ip_hash) WHERE ip_hash IS NOT NULL;
CREATE INDEX evidence_device ON evidence (device_hash) WHERE device_hash IS NOT NULL;

CREATE TABLE signals (
    referred_id BLOB NOT NULL REFERENCES referrals (referred_id),
    signal text NOT NULL,
    weight INTEGER NOT NULL,
    shadow BOOLEAN NOT NULL,
    evidence text NOT NULL,
    program_version INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (referred_id, signal)
);

CREATE TABLE reviews (
    id BLOB NOT NULL PRIMARY KEY,
    referred_id BLOB NOT NULL REFERENCES referrals (referred_id),
    status text NOT NULL CHECK (status IN ('PENDING', 'APPROVED', 'DENIED')),
    score INTEGER NOT NULL,
    seq BIGINT NOT NULL,
    reason text,
    actor text,
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_no BIGINT
);
CREATE INDEX reviews_status ON reviews (status, id);

CREATE TABLE listings (
    id BLOB NOT NULL PRIMARY KEY,
    effect text NOT NULL CHECK (effect IN ('ALLOW', 'BLOCK')),
    subject text NOT NULL,
    subject_hash BLOB NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (subject, subject_hash)
);

-- Operations ---------------------------------------------------------------------------------------------------------

CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('SERVER', 'ADMIN')),
    prefix text NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);

-- Facts about this installation: the key of the hashes, the oldest program that may use this schema.
CREATE TABLE settings (
    key text NOT NULL PRIMARY KEY,
    value text NOT NULL
);
