-- Pairs: a query as it was, and as it is after the rewriting.

select * from deals
select * from opportunities

SELECT * FROM DEALS
SELECT * FROM OPPORTUNITIES

select "deals"."name" from "deals"
select "opportunities"."name" from "opportunities"

select d.name from public . /* x */ deals d
select d.name from public . /* x */ opportunities d

select "dealNotes".deal_id from "dealNotes" order by deal_id
select "opportunityNotes".opportunity_id from "opportunityNotes" order by opportunity_id

select 'é', name from deals where stage in ('won', 'lead') -- deals won
select 'é', name from opportunities where stage in ('closed_won', 'lead') -- deals won

select 1 from deals where 'won' <> stage::text
select 1 from opportunities where 'closed_won' <> stage::text

select case stage when 'lost' then 0 end from deals
select case stage when 'closed_lost' then 0 end from opportunities

select 1 from deals where stage = 'it''s late'
select 1 from opportunities where stage = 'nurturing'

with d as (select stage s, id from deals) select count(*) from d where s = 'won'
with d as (select stage s, id from opportunities) select count(*) from d where s = 'closed_won'

select x.deal_id from (select deal_id from "dealNotes") x
select x.opportunity_id from (select opportunity_id from "opportunityNotes") x

select c.name from companies c where exists (select from deals where company_id = c.id and stage = 'won')
select c.name from companies c where exists (select from opportunities where company_id = c.id and stage = 'closed_won')

with deals as (select 1 stage) select stage from deals
with deals as (select 1 stage) select stage from deals

select stage from deals union all select name from deals order by stage
select stage from opportunities union all select name from opportunities order by stage

select count(*) filter (where d.stage = any (array['won','lost'])) from deals d
select count(*) filter (where d.stage = any (array['closed_won','closed_lost'])) from opportunities d

select n_live_tup from pg_stat_user_tables where relname = 'deals'
select n_live_tup from pg_stat_user_tables where relname = 'opportunities'

select pg_total_relation_size('public.deals'::regclass)
select pg_total_relation_size('public.opportunities'::regclass)

select row_to_json(deals) from deals
select row_to_json(opportunities) from opportunities

select n.deal_id as x from "dealNotes" n, lateral (select n.deal_id) l order by x
select n.opportunity_id as x from "opportunityNotes" n, lateral (select n.opportunity_id) l order by x

select 'won' from contacts where email = 'won'
select 'won' from contacts where email = 'won'

explain select * from deals
explain select * from opportunities

with recursive t as (select id, company_id from deals union all select d.id, d.company_id from deals d join t on t.company_id = d.id) select * from t
with recursive t as (select id, company_id from opportunities union all select d.id, d.company_id from opportunities d join t on t.company_id = d.id) select * from t

