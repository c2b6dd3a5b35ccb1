-- id: verify.opportunities_closed
-- severity: critical
-- relation: public.opportunities
-- message: opportunities that are closed without a date, or dated and not closed
-- hint: set actual_close_date, or the stage

select o.id as key, o.stage || ' ' || coalesce(o.actual_close_date::text, 'without a date') as detail
from public.opportunities o
where (o.actual_close_date is not null) <> (o.stage::text in ('closed_won', 'closed_lost'))
