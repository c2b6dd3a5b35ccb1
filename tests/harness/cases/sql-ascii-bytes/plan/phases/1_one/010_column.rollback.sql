alter table public.t drop w;
