-- id: verify.customers.email_key
-- severity: critical
-- relation: app.customers
-- message: a customer is not found by the address

SELECT id AS key, 'email ' || email AS detail
FROM app.customers
WHERE email_key IS DISTINCT FROM lower(email);
