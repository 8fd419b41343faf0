-- Fails while somebody has a credit: there would be no place for it.
ALTER TABLE claims DROP COLUMN credited;
CREATE TABLE accounts_without_credit (
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
INSERT INTO accounts_without_credit (user_id, currency, pending, available, withheld, claimed, paid, debt)
    SELECT user_id, currency, pending, available, withheld, claimed, paid, debt FROM accounts;
DROP TABLE accounts;
ALTER TABLE accounts_without_credit RENAME TO accounts;
