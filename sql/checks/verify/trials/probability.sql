-- id: verify.trial.probability
-- severity: critical
-- message: a probability above 100 is accepted
-- hint: make the constraint opportunities_probability_check again
-- refused: 23514

insert into public.opportunities (id, name, stage_manual, probability) values (-7, 'x', true, 101)
