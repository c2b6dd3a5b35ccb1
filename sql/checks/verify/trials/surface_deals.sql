-- id: verify.trial.surface_deals
-- severity: critical
-- message: a deal written by an old client is not the opportunity it means, or reads back otherwise
-- hint: make the view public.deals and its trigger again
-- until: cleanup

insert into public.companies (id, name) values (-7, 'x');
insert into public.deals (id, name, stage, updated_at) values (-7, 'x', 'in-negociation', '2030-01-02 00:00+00');
update public.deals set stage = 'won', amount = 7 where id = -7;

select 'deal -7' as key, pg_catalog.to_jsonb(d)::text || pg_catalog.to_jsonb(o)::text as detail
from (values (-7)) v (id)
left join public.deals d on d.id = v.id
left join public.opportunities o on o.id = v.id
where d.stage is distinct from 'won' or d.amount is distinct from 7 or o.stage::text is distinct from 'closed_won'
    or o.probability is distinct from 100 or o.actual_close_date is distinct from '2030-01-02'
    or o.status::text is distinct from 'active' or o.priority::text is distinct from 'medium'
