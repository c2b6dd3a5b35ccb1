-- id: deals.dates.range
-- severity: warning
-- relation: public.deals
-- message: a date is before 1971 or after 2100
-- hint: kept, and dates of the opportunity are made of them
-- tolerate: 0.5%
-- clean-up: update public.deals t
-- clean-up: set created_at = case when t.created_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then now() else t.created_at end,
-- clean-up:     updated_at = case when t.updated_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then now() else t.updated_at end,
-- clean-up:     archived_at = case when t.archived_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then null else t.archived_at end,
-- clean-up:     expected_closing_date = case when t.expected_closing_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then null else t.expected_closing_date end
-- clean-up: where t.created_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z'
-- clean-up:     or t.updated_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z'
-- clean-up:     or t.archived_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z'
-- clean-up:     or t.expected_closing_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';

select t.id as key, concat_ws(', ', t.created_at, t.updated_at, t.archived_at, t.expected_closing_date) as detail
from public.deals t
where t.created_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z'
    or t.updated_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z'
    or t.archived_at not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z'
    or t.expected_closing_date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';
