"""What PostgREST puts around a query: the CTE, the body as JSON, counts, and settings read back.

The shape is that of PostgREST 12 to 14: `Query/Statements.hs`, `Query/SqlFragment.hs`.
"""

from __future__ import annotations

# ruff: noqa: S608 - what is put together are queries of a contract, and names in quotes
from collections.abc import Mapping
from typing import Final

SOURCE: Final = "pgrst_source"
_READ_BACK: Final = (
    "nullif(current_setting('response.headers', true), '') AS response_headers, "
    "nullif(current_setting('response.status', true), '') AS response_status"
)
_BODY: Final = "coalesce(json_agg(_postgrest_t), '[]')::character varying"


def wrap_read(query: str, count_query: str = "") -> str:
    """A GET: page_total, body, headers, status; total_result_set where a count query is given."""
    count = f", pgrst_source_count AS (\n{count_query}\n)" if count_query else ""
    total = (
        "(SELECT pg_catalog.count(*) FROM pgrst_source_count)" if count_query else "null::bigint"
    )
    return (
        f"WITH {SOURCE} AS (\n{query}\n){count} "
        f"SELECT {total} AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, "
        f"{_BODY} AS body, {_READ_BACK} FROM ( SELECT * FROM {SOURCE} ) _postgrest_t"
    )


def wrap_write(query: str, *, represented: bool) -> str:
    """A POST, PATCH or DELETE, which ends with RETURNING; the body where it is asked for."""
    body = _BODY if represented else "''::text"
    return (
        f"WITH {SOURCE} AS (\n{query}\n) "
        f"SELECT '' AS total_result_set, pg_catalog.count(_postgrest_t) AS page_total, "
        f"{body} AS body, {_READ_BACK} FROM (SELECT * FROM {SOURCE}) _postgrest_t"
    )


def json_rows(columns: Mapping[str, str], parameter: str, *, single: bool, prefix: str = "") -> str:
    """The FROM items that make rows of a JSON parameter: columns by their types in the catalog."""
    function = "json_to_record" if single else "json_to_recordset"
    parsed = ", ".join(
        f"{quote_name(name)} AS {quote_name(prefix + name)}" if prefix else quote_name(name)
        for name in columns
    )
    typed = ", ".join(f"{quote_name(name)} {kind}" for name, kind in columns.items())
    return (
        f"(SELECT {parameter}::json AS json_data) pgrst_payload, "
        f"LATERAL (SELECT {parsed} FROM {function}(pgrst_payload.json_data)"
        f" AS _({typed}) ) pgrst_body"
    )


def quote_name(name: str) -> str:
    """An identifier as PostgREST spells it: always in quotes; a % is doubled for the driver."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
