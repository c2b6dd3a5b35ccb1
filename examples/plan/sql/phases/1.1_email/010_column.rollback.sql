DROP TRIGGER customers_email_key ON app.customers;
DROP FUNCTION app.customers_email_key();
ALTER TABLE app.customers DROP COLUMN email_key;
