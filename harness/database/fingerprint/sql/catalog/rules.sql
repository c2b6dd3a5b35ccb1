-- only if: exists (select from pg_rewrite where rulename <> '_RETURN' and oid >= 16384)
-- Rewrite rules; the one that makes a view a view is told by its definition.
select 'rule ' || quote_ident(r.rulename) || ' on ' || c.name,
  jsonb_build_object('definition', pg_get_ruledef(r.oid), 'enabled', r.ev_enabled)
from relation c
join pg_rewrite r on r.ev_class = c.oid and r.rulename <> '_RETURN'
