-- id: verify.trial.prices
-- severity: critical
-- message: a price set by hand is accepted, though it follows quantity, unit price and discount
-- hint: make the table opportunity_products again
-- refused: 428C9

insert into public.opportunities (id, name) values (-7, 'x');
insert into public.opportunity_products (id, opportunity_id, product_name, final_price) values (-7, -7, 'x', 1)
