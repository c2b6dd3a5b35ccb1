-- What this session cannot read of that which a fingerprint reads, and why: tables and materialized views
-- with their rows, sequences with their value.
select * from (
  select c.name, c.relkind = 'S',
    case when not has_schema_privilege(c.relnamespace, 'usage') then 'the role has no USAGE on its schema'
      when not has_table_privilege(c.oid, 'select') then 'the role has no SELECT on it'
      when row_security_active(c.oid) then 'row level security would hide rows of it from the role'
      when c.relpersistence = 'u' and pg_is_in_recovery() then 'it is unlogged, and a standby has nothing of it'
    end as reason
  from relation c
  where c.relkind in ('r', 'S') or (c.relkind = 'm' and c.relispopulated)
) found (name, is_sequence, reason)
where reason is not null
order by name
