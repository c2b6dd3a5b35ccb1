-- id: contacts.seen.order
-- severity: warning
-- relation: public.contacts
-- message: last_seen is before first_seen
-- hint: first_seen becomes the start of the relationship
-- tolerate: 0.5%
-- clean-up: update public.contacts t set last_seen = t.first_seen
-- clean-up: where t.last_seen < t.first_seen;

select t.id as key, t.last_seen || ' before ' || t.first_seen as detail
from public.contacts t
where t.last_seen < t.first_seen;
