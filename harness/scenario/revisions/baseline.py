"""The state before the revisions under test: a dump, or the earlier revisions."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness.core.errors import InfrastructureError, Refused
from harness.scenario.revisions.apply import Sender, psql_environment
from harness.scenario.revisions.check_server import CheckServer
from harness.subject.adapter.files import read_sql
from harness.subject.adapter.model import ForeignRevision, ForeignTree

_OWNER: Final = re.compile(r"^ALTER [^;]* OWNER TO [^;]*;$", re.M)
OWNERS: Final = "the tables of the baseline belong to the role that runs the tree"


def restore_dump(server: CheckServer, name: str, path: Path) -> None:
    """Run a dump as pg_dump wrote it. Raises Refused with its line where it does not apply."""
    if server.psql is None:
        raise InfrastructureError("a dump is run by psql, and there is none", hint="install it")
    text = _OWNER.sub("", read_sql(path))
    done = subprocess.run(
        [str(server.psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        input=text, env=psql_environment(server.dsn(name)),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        line = re.search(r"<stdin>:(\d+): ERROR:\s*(.*)", done.stderr)
        where = f"{path}:{line[1]}" if line else str(path)
        said = line[2] if line else " ".join(done.stderr.split())[:200]
        raise Refused(
            f"the baseline does not apply: {said}", where=where,
            hint="dump the schema before these revisions: pg_dump --schema-only --no-owner",
        )  # fmt: skip


def apply_earlier(
    server: CheckServer,
    sender: Sender,
    tree: ForeignTree,
    name: str,
    earlier: Sequence[ForeignRevision],
) -> None:
    """Bring a database through earlier revisions. Raises Refused with file and line at the first
    that fails.
    """
    for one in earlier:
        if one.flaw:
            raise Refused(one.flaw, where=str(tree.root), hint="give the schema as --baseline FILE")
        error = sender.up(server.dsn(name), one).error
        if error is not None:
            line = f":{error.line}" if error.line else ""
            raise Refused(
                f"a revision before those under test does not go up: {error}",
                where=f"{tree.root / one.up.path}{line}",
                hint="mend it, or give the schema before as --baseline FILE",
            )
