-- kind: concurrent
-- summary: index of opportunities by the date on which they are expected to close, dropped

drop index concurrently public.opportunities_expected_closing_date_idx;
