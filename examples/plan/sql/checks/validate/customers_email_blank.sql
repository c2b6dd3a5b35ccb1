-- id: customers.email.blank
-- severity: warning
-- relation: app.customers
-- message: a customer without an address cannot be found by one

SELECT id AS key, 'email ' || quote_literal(email) AS detail
FROM app.customers
WHERE btrim(email) = '';
