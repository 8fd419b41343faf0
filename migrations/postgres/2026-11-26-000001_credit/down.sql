-- Fails while somebody has a credit: there would be no place for it.
ALTER TABLE claims DROP COLUMN credited;
ALTER TABLE accounts ADD CONSTRAINT accounts_debt_check CHECK (debt >= 0);
