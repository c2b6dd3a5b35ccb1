-- id: verify.rows.orders
-- severity: critical
-- relation: app.orders
-- message: every order is as before
SELECT id, customer_id, total, placed_at FROM app.orders;
SELECT id, customer_id, total, placed_at FROM app.orders
