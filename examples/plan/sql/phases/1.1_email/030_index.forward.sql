-- kind: concurrent
CREATE INDEX CONCURRENTLY customers_email_key ON app.customers (email_key);
