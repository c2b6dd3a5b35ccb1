-- id: contacts.gender.unknown
-- severity: warning
-- relation: public.contacts
-- message: gender is none that the application offers
-- hint: kept as it is; forms do not show it
-- tolerate: 0.5%
-- clean-up: update public.contacts t set gender = (
-- clean-up:     select known.word from unnest(array['male', 'female', 'nonbinary']) known (word)
-- clean-up:     where lower(known.word) = lower(btrim(t.gender)))
-- clean-up: where t.gender not in ('male', 'female', 'nonbinary');

select t.id as key, quote_literal(left(t.gender, 80)) as detail
from public.contacts t
where t.gender not in ('male', 'female', 'nonbinary');
