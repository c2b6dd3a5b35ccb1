-- kind: concurrent
-- summary: index of opportunities by the date on which they are expected to close

create index concurrently opportunities_expected_closing_date_idx on public.deals (expected_closing_date, id);
