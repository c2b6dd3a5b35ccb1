"""The harness knows no subject: none of its files names the reference one, nor this checkout.

A planted word and a planted import show that each would be found.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness

HOME = Path(harness.__file__).parent
KINDS = (".py", ".sql", ".toml", ".j2", ".md", ".yml", ".txt")
FILES = sorted(p for p in HOME.rglob("*") if p.suffix in KINDS and "__pycache__" not in p.parts)
SUBJECT = re.compile(
    r"(?i)\b(?:\w*_)?(?:deals?|deal_?notes?|opportunit(?:y|ies)|contact_?(?:ids?|notes?|s)?"
    r"|compan(?:y|ies)|supabase|crm)(?:_\w*)?\b"
    r"|\b(?:anon|authenticated|service_role)\b"
)
CHECKOUT = re.compile(
    r"\bsql/(?:plan|phases|checks|baseline)\b|\btests/(?:migration|harness)\b"
    r"|\bdocs/|(?<![\w/])\.ci/|\bmake (?:images|test\w*|gate|crash)\b|\bfixtures[./]\w"
)
PUBLIC = re.compile(r"""["'`]public["'`]|\bpublic\.(?=["\w{])|\bschema public\b""")
ALLOWED = {
    "rows/vocabulary.toml": (SUBJECT, "what columns of these names hold, in any schema"),
    "rows/sample/texts.py": (SUBJECT, "likewise"),
    "subject/guard/environment.py": (SUBJECT, "variables that lead to others' databases"),
    "subject/adapter/supabase.py": (SUBJECT, "a tool's name"),
    "scenario/revisions/rights.py": (SUBJECT, "what such roles are often called"),
    "subject/adapter/recognition.py": (SUBJECT, "likewise"),
    "database/surroundings.py": (PUBLIC, "the pseudo-role of grants"),
    "scenario/dry_run/neighbours.py": (PUBLIC, "the pseudo-role of grants"),
    "subject/project_search.py": (CHECKOUT, "where a plan is looked for, in any project"),
    "database/template0.py": (PUBLIC, "template0 has a schema of that name"),
    "runner/baseline_file.py": (PUBLIC, "a dump creates the schema that every database has"),
    "safety/occupied.sql": (PUBLIC, "an empty database has it"),
    "database/fingerprint/sql/catalog/comments.sql": (PUBLIC, "template0 comments on it"),
    "check/security/change.py": (PUBLIC, "the pseudo-role of grants and policies"),
}
"""What a file may say all the same, and why."""


def words_of_a_subject(name: str, text: str) -> Iterator[str]:
    """File, line and word of everything that only one subject, or this checkout, has."""
    # What is written for a new project names the places of that project.
    scaffold = name.startswith("subject/scaffold/")
    allowed = CHECKOUT if scaffold else ALLOWED.get(name, (None, ""))[0]
    for number, line in enumerate(text.splitlines(), 1):
        for pattern in (SUBJECT, CHECKOUT, PUBLIC):
            if pattern is not allowed:
                yield from (f"{name}:{number}: {word[0]}" for word in pattern.finditer(line))


def imports_of_a_subject(name: str, source: str) -> Iterator[str]:
    """File and line of every import of what only this checkout has."""
    for node in ast.walk(ast.parse(source)):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""] if not node.level else []
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "import_module":
            modules = [one.value for one in node.args if isinstance(one, ast.Constant)]
        for module in modules:
            if module.split(".")[0] in ("fixtures", "tests"):
                yield f"{name}:{node.lineno}: {module}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOME)))
def test_no_file_names_the_reference_subject(file: Path) -> None:
    name = str(file.relative_to(HOME))
    text = file.read_text("utf-8")
    assert list(words_of_a_subject(name, text)) == []
    if file.suffix == ".py":
        assert list(imports_of_a_subject(name, text)) == []


@pytest.mark.parametrize(
    "line",
    [
        "hint='name it as public.orders'",
        "where n.nspname = 'public'",
        "select * from deals",
        'ROLES = {"authenticated": "anon"}',
        "-- the company_id of a contact",
        "default=Path('sql/plan.toml')",
        "see docs/validate.md",
        "start one, or .ci/docker-up",
        "`make images` builds one",
        "Supabase sets it",
        "opportunities_summary",
        '"contactNotes"',
        "grant usage on schema public to x",
    ],
)
def test_a_planted_word_is_found(line: str) -> None:
    assert list(words_of_a_subject("planted.py", f"\n{line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        "import fixtures",
        "from fixtures.seed import load",
        "def f() -> None:\n    from tests.migration import judge",
        'importlib.import_module("fixtures.subject")',
    ],
)
def test_a_planted_import_is_found(line: str) -> None:
    assert list(imports_of_a_subject("planted.py", line))


@pytest.mark.parametrize("line", ["revoke all from public, x", "not a public name", "make it so"])
def test_ordinary_words_are_not_taken_for_a_subject(line: str) -> None:
    assert list(words_of_a_subject("planted.py", line)) == []
