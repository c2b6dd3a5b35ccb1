-- kind: transaction
-- summary: the old contacts_summary comes back as it was

drop view public.contacts_summary;
select migration_control.unpark_view('contacts_summary');
