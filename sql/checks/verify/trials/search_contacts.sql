-- id: verify.trial.search_contacts
-- severity: critical
-- message: search does not keep up with contacts that are written
-- hint: make the trigger contacts_search again

insert into public.contacts (id, first_name, email_jsonb)
values (-7, 'Zyzzyva', '[{"email": "kumquat@example.com", "type": "Work"}]');
update public.contacts set first_name = 'Qaqortoq', department = 'Xylography' where id = -7;

select q.word as key, 'finds ' || count(c.id) as detail
from (values ('qaqortoq', 1), ('xylography', 1), ('kumquat@example.com', 1), ('zyzzyva', 0)) q (word, hits)
left join public.contacts c
    on c.id = -7 and c.search_tsv @@ pg_catalog.plainto_tsquery('pg_catalog.english', q.word)
group by q.word, q.hits
having count(c.id) <> q.hits
