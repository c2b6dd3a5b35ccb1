-- Large objects, each with a hash of its contents, read in parts of 256 kB.
with recursive part (oid, place, length, hash) as (
  select oid, 0::bigint, length(bytes), sha256(bytes)
  from (select oid, lo_get(oid, 0, 262144) as bytes from pg_largeobject_metadata offset 0) first
  union all
  select oid, place, length(bytes), sha256(bytes)
  from (select oid, place + 262144 as place, lo_get(oid, place + 262144, 262144) as bytes
        from part where length = 262144 offset 0) next
)
select oid, string_agg(encode(hash, 'hex'), ' ' order by place) as content from part group by oid
