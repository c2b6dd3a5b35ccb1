alter table public.t add w text;
