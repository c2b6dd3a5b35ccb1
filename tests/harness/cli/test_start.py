"""A command imports what it needs: every start of the harness pays for the rest."""

from __future__ import annotations

import subprocess
import sys

# what the interpreter itself brings (a debugger, a coverage tool) is not the command's
LISTED = """
import atexit, sys
before = set(sys.modules)
atexit.register(lambda: print(*sys.modules.keys() - before, file=sys.stderr))
sys.argv = ["harness", *sys.argv[1:]]
from harness.cli import main
{more}
main()
"""
OF_SERVERS = {"psycopg", "psycopg_binary", "psutil", "filelock", "asyncio", "ssl"}
OF_PLANS = {"pglast", "harness.plan"}
OF_PAGES = {"rich", "jinja2", "msgspec", "yaml", "prometheus_client", "http.server"}
OF_EXTRAS = {"hdrhistogram", "distributed", "numpy", "scipy", "matplotlib", "pytest"}


def imported(*arguments: str, more: str = "") -> set[str]:
    """The modules that a command of the command line has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", LISTED.format(more=more), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


def test_help_imports_no_part_that_works() -> None:
    found = imported("--help")
    heavy = OF_SERVERS | OF_PLANS | OF_PAGES | OF_EXTRAS | {"importlib.metadata"}
    assert found & heavy == set()
    assert {name.split(".")[1] for name in found if name.startswith("harness.")} == {"cli", "core"}


def test_a_module_that_is_imported_for_nothing_is_seen() -> None:
    assert imported("--help", more="import harness.plan") >= OF_PLANS


def test_a_fingerprint_for_a_log_imports_nothing_of_terminals_and_plans(
    harness_empty_database: str,
) -> None:
    found = imported("fingerprint", "--dsn", harness_empty_database)
    assert "psycopg" in found
    assert found & (OF_PLANS | OF_PAGES | OF_EXTRAS) == set()
