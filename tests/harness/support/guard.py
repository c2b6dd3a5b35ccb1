"""A small migration tool of our own, and the ways in which its settings ignore our database."""

from __future__ import annotations

import sys
from pathlib import Path

TOOL = '''"""migrate.py current|up|down: connects where `url` says."""
import os, sys
import psycopg

verb = sys.argv[1]
{settings}
with psycopg.connect(url, connect_timeout=5) as conn:
    if verb == "up":
        conn.execute("create table made (id int primary key)")
    elif verb == "down":
        conn.execute("drop table if exists made, sentinel")
    else:
        conn.execute("select 1")
'''
OBEDIENT = 'url = os.environ["DATABASE_URL"]'


def write_tool(directory: Path, settings: str = OBEDIENT) -> str:
    """Write migrate.py, whose `url` comes from `settings`; the command without its verb."""
    (directory / "migrate.py").write_text(TOOL.format(settings=settings))
    return f"{sys.executable} migrate.py"
