-- id: contacts.email.duplicate
-- severity: warning
-- relation: public.contacts
-- message: several contacts share an e-mail address
-- hint: merge them by hand where they are one person; the migration keeps them apart
-- tolerate: 0.5%
-- clean-up: select lower(btrim(e.entry ->> 'email')) as address, array_agg(distinct c.id) as contact_ids
-- clean-up: from public.contacts c
-- clean-up: cross join lateral jsonb_array_elements(
-- clean-up:     case when jsonb_typeof(c.email_jsonb) = 'array' then c.email_jsonb end) e (entry)
-- clean-up: where jsonb_typeof(e.entry -> 'email') = 'string'
-- clean-up: group by 1 having count(distinct c.id) > 1;

select t.id as key, string_agg(distinct t.address, ', ') as detail
from (
    select a.id, a.address, count(*) over (partition by a.address) as times
    from (
        select distinct c.id, lower(btrim(e.entry ->> 'email')) as address
        from public.contacts c
        cross join lateral jsonb_array_elements(
            case when jsonb_typeof(c.email_jsonb) = 'array' then c.email_jsonb end
        ) e (entry)
        where jsonb_typeof(e.entry -> 'email') = 'string'
    ) a
    where a.address <> ''
) t
where t.times > 1
group by t.id;
