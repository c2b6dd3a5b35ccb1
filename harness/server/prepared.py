"""A data directory made once per version and profile, then copied for each server: initdb costs
more than a start.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock

from harness.core.errors import InfrastructureError
from harness.core.jsonfile import write_whole
from harness.server import directories, profile
from harness.server.account import Account, environment
from harness.server.installation import Installation

USER: Final = "postgres"
LOCALES: Final = ("C.UTF-8", "C")
"""Character classes by the first that the machine has; sorting is always by code point."""

_FORMAT: Final = 1
_HBA: Final = """\
# The socket directory can be entered by the server's account alone; TCP is open to every local
# user.
local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Prepared:
    """A data directory ready to be copied, and its superuser's password."""

    data_dir: Path
    password: str

    def copy_to(self, target: Path, who: Account) -> None:
        """Copy it as the account, so that the copy is the account's; `cp` is many times shutil's
        speed.
        """
        _run(["cp", "-Rp", str(self.data_dir), str(target)], who, "copying the data directory")


def prepare(installation: Installation, profile_name: str, who: Account) -> Prepared:
    """The prepared directory for this installation, profile and account; made on first use."""
    settings = profile.settings(profile_name)
    identity = json.dumps(
        [_FORMAT, installation.full_version, str(installation.bin_dir), settings, who.uid, _HBA]
    )
    digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
    root = directories.cache_root() / "prepared"
    root.mkdir(exist_ok=True)
    home = root / f"{installation.version}-{profile_name}-{digest}"
    password_file = home / "password"
    with FileLock(root / f"{home.name}.lock"):
        if not password_file.exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(mode=0o755)
            (home / "as").mkdir(mode=0o700)
            who.own(home / "as")
            password = secrets.token_urlsafe(18)
            _make(home / "as" / "data", installation, settings, password, who)
            _write_last(password_file, password)
    return Prepared(home / "as" / "data", password_file.read_text())


def _make(
    data_dir: Path,
    installation: Installation,
    settings: dict[str, str],
    password: str,
    who: Account,
) -> None:
    _initdb(data_dir, installation, who)
    (data_dir / "pg_hba.conf").write_text(_HBA)
    with (data_dir / "postgresql.conf").open("a") as conf:
        conf.write("\n# " + "-" * 60 + "\n" + profile.as_file(settings))
    _run(
        [str(installation.program("postgres")), "--single", "-D", str(data_dir), "template1"],
        who,
        "setting the password",
        stdin=f"ALTER ROLE {USER} PASSWORD '{_verifier(password)}'\n",
    )


def _initdb(data_dir: Path, installation: Installation, who: Account) -> None:
    failures = []
    for ctype in LOCALES:
        try:
            _run(
                [
                    str(installation.program("initdb")), "-D", str(data_dir), "-U", USER,
                    "--auth=trust", "--encoding=UTF8", "--locale=C", f"--lc-ctype={ctype}",
                    "--data-checksums", "--no-sync", "--no-instructions",
                ],
                who,
                "initdb",
            )  # fmt: skip
        except InfrastructureError as error:
            failures.append(str(error))
            continue
        return
    raise InfrastructureError(failures[0], hint="look at the directory's rights and room")


def _verifier(password: str) -> str:
    """A SCRAM verifier with one iteration: the password is random and long, and connecting stays
    quick.
    """
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (
        base64.b64encode(part).decode() for part in (salt, stored, server)
    )
    return f"SCRAM-SHA-256$1:{salt64}${stored64}:{server64}"


def _write_last(path: Path, text: str) -> None:
    """Write a file that marks a directory complete: private, and there only when whole."""
    write_whole(path, text, permissions=0o600)


def _run(command: list[str], who: Account, what: str, stdin: str | None = None) -> None:
    try:
        subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=True, cwd="/",
            env=environment(), **who.as_child(),
        )  # fmt: skip
    except OSError as error:
        raise InfrastructureError(
            f"{what} failed: {error}", hint="look whether it is installed and may be run"
        ) from error
    except subprocess.CalledProcessError as error:
        tail = (error.stderr or error.stdout).strip().splitlines()[-3:]
        raise InfrastructureError(
            f"{what} failed: " + "; ".join(tail), hint="remove the cause, then try again"
        ) from error
