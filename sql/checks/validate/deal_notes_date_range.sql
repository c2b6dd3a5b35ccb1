-- id: deal_notes.date.range
-- severity: warning
-- relation: public."dealNotes"
-- message: a date is before 1971 or after 2100
-- hint: kept as it is
-- tolerate: 0.5%
-- clean-up: update public."dealNotes" t
-- clean-up: set date = case when t.date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then null else t.date end
-- clean-up: where t.date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';

select t.id as key, t.date::text as detail
from public."dealNotes" t
where t.date not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';
