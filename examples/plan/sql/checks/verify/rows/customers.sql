-- id: verify.rows.customers
-- severity: critical
-- relation: app.customers
-- message: every customer is as before, and found by the address in small letters
SELECT id, email, name, lower(email) AS email_key FROM app.customers;
SELECT id, email, name, email_key FROM app.customers
