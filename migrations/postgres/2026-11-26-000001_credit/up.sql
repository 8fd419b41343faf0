-- What a later claim netted can turn out not to have been owed: the payout of the claim that it was owed for fails. Then
-- `accounts.debt` is below zero, which is a credit of the user; the next claim pays it, and says so in `credited`.
ALTER TABLE accounts DROP CONSTRAINT accounts_debt_check;
ALTER TABLE claims ADD COLUMN credited bigint NOT NULL DEFAULT 0 CHECK (credited >= 0);
