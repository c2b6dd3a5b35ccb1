-- Version 2: a concurrent step says which index it is about.
ALTER TABLE migration_control.step ADD COLUMN object text, ADD COLUMN object_seal text;
UPDATE migration_control.ledger SET version = 2;
