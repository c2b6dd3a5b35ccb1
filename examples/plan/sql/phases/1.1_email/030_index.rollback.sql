-- kind: concurrent
DROP INDEX CONCURRENTLY app.customers_email_key;
