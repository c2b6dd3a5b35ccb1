-- id: contacts.id.duplicate
-- severity: critical
-- relation: public.contacts
-- message: id stands in more than one row
-- hint: the target wants one live row for a contact and an organization; the primary key is gone or broken, so put it back when the ids are apart
-- clean-up: update public.contacts t set id = nextval(pg_get_serial_sequence('public.contacts', 'id'))
-- clean-up: where exists (select from public.contacts o where o.id = t.id and o.ctid < t.ctid);

select t.id as key, count(*) || ' rows' as detail
from public.contacts t
group by t.id
having count(*) > 1;
