-- id: contacts.seen.range
-- severity: warning
-- relation: public.contacts
-- message: a date is before 1971 or after 2100
-- hint: first_seen becomes the start of the relationship
-- tolerate: 0.5%
-- clean-up: update public.contacts t
-- clean-up: set first_seen = case when t.first_seen not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then null else t.first_seen end,
-- clean-up:     last_seen = case when t.last_seen not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z' then null else t.last_seen end
-- clean-up: where t.first_seen not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z'
-- clean-up:     or t.last_seen not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';

select t.id as key, concat_ws(', ', t.first_seen, t.last_seen) as detail
from public.contacts t
where t.first_seen not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z'
    or t.last_seen not between '1971-01-01 00:00Z' and '2100-01-01 00:00Z';
