-- id: companies.sector.unknown
-- severity: warning
-- relation: public.companies
-- message: sector is none that the application offers
-- hint: kept as it is; forms and filters do not show it
-- tolerate: 0.5%
-- clean-up: update public.companies t set sector = (
-- clean-up:     select known.word from unnest(array[
-- clean-up:     'Communication Services', 'Consumer Discretionary', 'Consumer Staples', 'Energy', 'Financials',
-- clean-up:     'Health Care', 'Industrials', 'Information Technology', 'Materials', 'Real Estate', 'Utilities'
-- clean-up: ]) known (word)
-- clean-up:     where lower(known.word) = lower(btrim(t.sector)))
-- clean-up: where t.sector not in (
-- clean-up:     'Communication Services', 'Consumer Discretionary', 'Consumer Staples', 'Energy', 'Financials',
-- clean-up:     'Health Care', 'Industrials', 'Information Technology', 'Materials', 'Real Estate', 'Utilities'
-- clean-up: );

select t.id as key, quote_literal(left(t.sector, 80)) as detail
from public.companies t
where t.sector not in (
    'Communication Services', 'Consumer Discretionary', 'Consumer Staples', 'Energy', 'Financials',
    'Health Care', 'Industrials', 'Information Technology', 'Materials', 'Real Estate', 'Utilities'
);
