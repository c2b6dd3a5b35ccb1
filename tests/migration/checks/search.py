"""Search: every row is found by every word of its searched fields, and by no other."""

from __future__ import annotations

from ..support import Pair, records, row_differences, scalar

FIELDS = {
    "companies": ("name", "sector", "description", "website", "city"),
    "contacts": ("first_name", "last_name", "title", "department", "background"),
    "opportunities": ("name", "description", "category", "next_action"),
}
EMAILS = """
select string_agg(e.address #>> '{}', ' ')
from jsonb_path_query(t.email_jsonb, '$[*].email[*]') e (address)
where jsonb_typeof(e.address) = 'string'
"""
SPACE = " || ' ' || "
LONGEST = 120_000  # of what is longer the new columns know the beginning
QUESTIONS = 12  # search questions asked of both databases


def check_search_words(pair: Pair) -> list[str]:
    """Each row's search words are exactly the words of its fields, in the English configuration."""
    found = []
    for table, fields in FIELDS.items():
        wanted = f"tsvector_to_array({_document(table, fields)})"
        wrong = records(
            pair.target,
            f"select t.id, {wanted} as expected, tsvector_to_array(t.search_tsv) as actual"
            f" from public.{table} t"
            f" where length({_text(table, fields)}) <= {LONGEST}"
            f" and tsvector_to_array(t.search_tsv) is distinct from {wanted}",
        )
        found += row_differences(
            f"search words of {table}",
            {row["id"]: {"words": row["expected"]} for row in wrong},
            {row["id"]: {"words": row["actual"]} for row in wrong},
        )
    return found


def _document(table: str, fields: tuple[str, ...]) -> str:
    """The tsvector of a row's fields, as an expression over the table t."""
    return f"to_tsvector('pg_catalog.english', left({_text(table, fields)}, {LONGEST}))"


def _text(table: str, fields: tuple[str, ...]) -> str:
    texts = [f"coalesce(t.{name}, '')" for name in fields]
    if table == "contacts":
        texts.append(f"coalesce(({EMAILS}), '')")
    return f"({SPACE.join(texts)})"


def check_search_answers(pair: Pair) -> list[str]:
    """A question asked of the old texts is answered with the same rows by the new columns."""
    found = []
    for table, fields in FIELDS.items():
        old = "deals" if table == "opportunities" else table
        known = tuple(name for name in fields if name not in ("department", "next_action"))
        expected = _old_answers(pair, old, _document(table, known))
        asked = f"""
            select question, array_remove(array_agg(t.id order by t.id), null)
            from unnest(%s::text[]) question left join public.{table} t
              on t.search_tsv @@ plainto_tsquery('pg_catalog.english', question)
            group by question
        """
        actual = dict(pair.target.execute(asked, [list(expected)]).fetchall())
        found += [
            f"search of {table} by {question!r} finds {len(actual[question])} rows, not {len(ids)}"
            for question, ids in expected.items()
            if actual[question] != ids
        ]
    return found


def _old_answers(pair: Pair, table: str, document: str) -> dict[str, list[int]]:
    """Rows by word, for words that are common, words that are rare, and one that does not occur."""
    words = pair.source.execute(
        "select word, ids from (select word, array_agg(t.id order by t.id) as ids"
        f" from public.{table} t, unnest(tsvector_to_array({document})) as w (word)"
        " where word ~ '^[a-z]{3,}$' group by word) found"
        # a word that stems to itself can be asked for as it is
        " where plainto_tsquery('pg_catalog.english', word)::text = quote_literal(word)"
        " order by cardinality(ids) desc, word"
    ).fetchall()
    half = QUESTIONS // 2
    return {**dict([*words[:half], *words[-half:]]), "zzyzx": []}


def check_search_is_indexed(pair: Pair) -> list[str]:
    """The planner can answer a search from the index."""
    found = []
    with pair.target.transaction(force_rollback=True):
        pair.target.execute("set local enable_seqscan = off")
        for table in FIELDS:
            plan = scalar(
                pair.target,
                f"explain (format json) select 1 from public.{table} where search_tsv"
                " @@ plainto_tsquery('pg_catalog.english', 'market')",
            )
            if "Bitmap Index Scan" not in str(plan):
                found.append(f"search of {table} cannot use an index")
    return found
