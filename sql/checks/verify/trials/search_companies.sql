-- id: verify.trial.search_companies
-- severity: critical
-- message: search does not keep up with companies that are written
-- hint: make the trigger companies_search again

insert into public.companies (id, name, city) values (-7, 'Zyzzyva', 'Tromso');
update public.companies set city = 'Qaqortoq' where id = -7;

select q.word as key, 'finds ' || count(c.id) as detail
from (values ('zyzzyva', 1), ('qaqortoq', 1), ('tromso', 0)) q (word, hits)
left join public.companies c
    on c.id = -7 and c.search_tsv @@ pg_catalog.plainto_tsquery('pg_catalog.english', q.word)
group by q.word, q.hits
having count(c.id) <> q.hits
