-- id: sales.user_id.dangling
-- severity: critical
-- relation: public.sales
-- message: user_id names a user of auth.users who does not exist
-- hint: nobody can sign in as this colleague; make the user again, or give the rows to another colleague
-- clean-up: select t.* from public.sales t
-- clean-up: where not exists (select from auth.users u where u.id = t.user_id);

select t.id as key, 'user_id ' || t.user_id as detail
from public.sales t
where not exists (select from auth.users u where u.id = t.user_id);
