-- id: verify.trial.search_opportunities
-- severity: critical
-- message: search does not keep up with opportunities that are written
-- hint: make the trigger opportunities_search again

insert into public.opportunities (id, name) values (-7, 'Zyzzyva');
update public.opportunities set name = 'Xylography', next_action = 'Qaqortoq' where id = -7;

select q.word as key, 'finds ' || count(o.id) as detail
from (values ('xylography', 1), ('qaqortoq', 1), ('zyzzyva', 0)) q (word, hits)
left join public.opportunities o
    on o.id = -7 and o.search_tsv @@ pg_catalog.plainto_tsquery('pg_catalog.english', q.word)
group by q.word, q.hits
having count(o.id) <> q.hits
