-- summary: the rows that were there before the trigger
-- kind: batch
-- table: app.customers
-- key: id
UPDATE app.customers SET email_key = lower(email)
WHERE id > %(after)s AND id <= %(upto)s AND email_key IS NULL;
