-- id: deals.category.unknown
-- severity: warning
-- relation: public.deals
-- message: category is none that the application offers
-- hint: kept as it is; filters do not show it
-- tolerate: 0.5%
-- clean-up: update public.deals t set category = (
-- clean-up:     select known.word from unnest(array['Other', 'Copywriting', 'Print project', 'UI Design', 'Website design']) known (word)
-- clean-up:     where lower(known.word) = lower(btrim(t.category)))
-- clean-up: where t.category not in ('Other', 'Copywriting', 'Print project', 'UI Design', 'Website design');

select t.id as key, quote_literal(left(t.category, 80)) as detail
from public.deals t
where t.category not in ('Other', 'Copywriting', 'Print project', 'UI Design', 'Website design');
