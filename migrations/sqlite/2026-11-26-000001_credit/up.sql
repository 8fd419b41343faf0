-- What a later claim netted can turn out not to have been owed: the payout of the claim that it was owed for fails. Then
-- `accounts.debt` is below zero, which is a credit of the user; the next claim pays it, and says so in `credited`.
-- SQLite cannot drop a check, so the table is made anew; nothing refers to it.
CREATE TABLE accounts_with_credit (
    user_id BLOB NOT NULL REFERENCES users (id),
    currency text NOT NULL,
    pending BIGINT NOT NULL DEFAULT 0 CHECK (pending >= 0),
    available BIGINT NOT NULL DEFAULT 0 CHECK (available >= 0),
    withheld BIGINT NOT NULL DEFAULT 0 CHECK (withheld >= 0),
    claimed BIGINT NOT NULL DEFAULT 0 CHECK (claimed >= 0),
    paid BIGINT NOT NULL DEFAULT 0 CHECK (paid >= 0),
    debt BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, currency)
) WITHOUT ROWID;
INSERT INTO accounts_with_credit (user_id, currency, pending, available, withheld, claimed, paid, debt)
    SELECT user_id, currency, pending, available, withheld, claimed, paid, debt FROM accounts;
DROP TABLE accounts;
ALTER TABLE accounts_with_credit RENAME TO accounts;
ALTER TABLE claims ADD COLUMN credited BIGINT NOT NULL DEFAULT 0 CHECK (credited >= 0);
