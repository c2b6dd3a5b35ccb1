-- id: contacts.name.spaces
-- severity: warning
-- relation: public.contacts
-- message: blanks stand around a name
-- hint: sorting and search see the blanks
-- tolerate: 0.5%
-- clean-up: update public.contacts t set first_name = btrim(t.first_name), last_name = btrim(t.last_name)
-- clean-up: where t.first_name <> btrim(t.first_name) and btrim(t.first_name) <> ''
-- clean-up:     or t.last_name <> btrim(t.last_name) and btrim(t.last_name) <> '';

select t.id as key, concat_ws(' ', quote_nullable(t.first_name), quote_nullable(t.last_name)) as detail
from public.contacts t
where t.first_name <> btrim(t.first_name) and btrim(t.first_name) <> ''
    or t.last_name <> btrim(t.last_name) and btrim(t.last_name) <> '';
