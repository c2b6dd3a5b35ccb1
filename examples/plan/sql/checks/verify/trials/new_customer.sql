-- id: verify.trial.new_customer
-- severity: critical
-- message: a new customer, and one whose address changes, is found by it
INSERT INTO app.customers (id, email, name) VALUES (-7, 'Ann@Example.org', 'Ann');
UPDATE app.customers SET email = 'Ann@Example.com' WHERE id = -7;
SELECT id AS key, email_key AS detail FROM app.customers
WHERE id = -7 AND email_key <> 'ann@example.com'
