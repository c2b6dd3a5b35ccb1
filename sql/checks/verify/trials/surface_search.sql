-- id: verify.trial.surface_search
-- severity: critical
-- message: search does not keep up with deals that an old client writes
-- hint: make the trigger opportunities_search again, and the view public.deals with its trigger
-- until: cleanup

insert into public.deals (id, name, stage) values (-7, 'Zyzzyva', 'won');
update public.deals set name = 'Xylography' where id = -7;

select q.word as key, 'finds ' || count(o.id) as detail
from (values ('xylography', 1), ('zyzzyva', 0)) q (word, hits)
left join public.opportunities o
    on o.id = -7 and o.search_tsv @@ pg_catalog.plainto_tsquery('pg_catalog.english', q.word)
group by q.word, q.hits
having count(o.id) <> q.hits
