-- id: tasks.type.unknown
-- severity: warning
-- relation: public.tasks
-- message: type is none that the application offers
-- hint: the activity made of a done task is a check-in
-- tolerate: 0.5%
-- clean-up: update public.tasks t set type = (
-- clean-up:     select known.word from unnest(array['None', 'Email', 'Demo', 'Lunch', 'Meeting', 'Follow-up', 'Thank you', 'Ship', 'Call']) known (word)
-- clean-up:     where lower(known.word) = lower(btrim(t.type)))
-- clean-up: where t.type not in ('None', 'Email', 'Demo', 'Lunch', 'Meeting', 'Follow-up', 'Thank you', 'Ship', 'Call');

select t.id as key, quote_literal(left(t.type, 80)) as detail
from public.tasks t
where t.type not in ('None', 'Email', 'Demo', 'Lunch', 'Meeting', 'Follow-up', 'Thank you', 'Ship', 'Call');
