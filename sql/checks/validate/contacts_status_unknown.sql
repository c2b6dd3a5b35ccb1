-- id: contacts.status.unknown
-- severity: warning
-- relation: public.contacts
-- message: status is none that the application offers
-- hint: kept as it is; filters do not show it
-- tolerate: 0.5%
-- clean-up: update public.contacts t set status = (
-- clean-up:     select known.word from unnest(array['cold', 'warm', 'hot', 'in-contract']) known (word)
-- clean-up:     where lower(known.word) = lower(btrim(t.status)))
-- clean-up: where t.status not in ('cold', 'warm', 'hot', 'in-contract');

select t.id as key, quote_literal(left(t.status, 80)) as detail
from public.contacts t
where t.status not in ('cold', 'warm', 'hot', 'in-contract');
