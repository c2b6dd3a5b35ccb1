"""Under whose uid a server runs: ours, or an unprivileged one when we are root (Postgres refuses
root).
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.core.errors import InfrastructureError, UsageError
from harness.server import shell

_CANDIDATES: Final = ("nobody", "daemon")


@dataclass(frozen=True)
class Account:
    """A uid and gid to run as; `dropped` when they are not our own."""

    uid: int
    gid: int
    dropped: bool

    def as_child(self) -> dict[str, Any]:
        """Keyword arguments for subprocess, so that the child runs under this account alone."""
        if not self.dropped:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a path to this account."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)


def account() -> Account:
    """Our own account, or for root that of HARNESS_SERVER_USER, else `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), dropped=False)
    wanted = os.environ.get("HARNESS_SERVER_USER")
    for name in (wanted,) if wanted else _CANDIDATES:
        entry = _lookup(name)
        if entry is not None and entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, dropped=True)
    if wanted:
        raise UsageError(
            f"HARNESS_SERVER_USER={wanted!r} is root or unknown here",
            hint="name an account without privileges",
        )
    raise InfrastructureError(
        "running as root, and no unprivileged user to run Postgres as",
        hint="name one in HARNESS_SERVER_USER",
    )


def _lookup(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def environment(home: Path | None = None) -> dict[str, str]:
    """Our environment without what would change a server's or a client's behaviour."""
    env = shell.without()
    for name in [name for name in env if name.startswith("LC_")] + ["LANG", "LANGUAGE"]:
        env.pop(name, None)
    env["LC_ALL"] = "C"
    env["HOME"] = str(home or "/")
    return env


def output_as(who: Account, *command: str | Path) -> str | None:
    """What a command prints when run under the account; None when it cannot be run there."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True, text=True, check=True, timeout=30, cwd="/",
            env=environment(), **who.as_child(),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return str(done.stdout).strip()
