-- id: verify.rows.companies_count
-- severity: critical
-- relation: public.companies_summary
-- message: nb_opportunities counts what nb_deals counted
-- hint: make the view again
-- samples: no

select id, nb_deals as n from public.companies_summary;

select id, nb_opportunities as n from public.companies_summary
