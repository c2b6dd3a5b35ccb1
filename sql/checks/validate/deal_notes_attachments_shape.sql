-- id: deal_notes.attachments.shape
-- severity: warning
-- relation: public."dealNotes"
-- message: an attachment has no address
-- hint: kept as it is; the file cannot be opened
-- tolerate: 0.5%
-- clean-up: update public."dealNotes" t
-- clean-up: set attachments = array(
-- clean-up:     select a.file from unnest(t.attachments) with ordinality a (file, place)
-- clean-up:     where jsonb_typeof(a.file) = 'object' and a.file ->> 'src' <> '' order by a.place)
-- clean-up: where exists (
-- clean-up:     select from unnest(t.attachments) a (file)
-- clean-up:     where a.file is null or jsonb_typeof(a.file) <> 'object' or coalesce(a.file ->> 'src', '') = ''
-- clean-up: );

select t.id as key, left(t.attachments::text, 80) as detail
from public."dealNotes" t
where exists (
    select from unnest(t.attachments) a (file)
    where a.file is null or jsonb_typeof(a.file) <> 'object' or coalesce(a.file ->> 'src', '') = ''
);
