"""[mail] of window.toml: by which server mails are sent, and in whose name."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Final, Literal, get_args

from harness.core.errors import UsageError
from harness.people.recipients import is_address
from harness.people.window_file import TableReader
from harness.plan.reader import seconds
from harness.server.secrets import remember
from harness.subject.project_search import read_document

Security = Literal["starttls", "tls", "none"]
PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
KNOWN: Final = (
    "from", "host", "port", "security", "ca_file", "user", "password_env", "password_file",
    "timeout", "retry",
)  # fmt: skip
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class MailSettings:
    """The SMTP server and the sender. `retry` is the shortest time between two tries of a mail."""

    sender: str
    name: str
    host: str
    port: int
    security: Security = "starttls"
    ca_file: Path | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 30.0
    retry: float = 30.0

    @property
    def domain(self) -> str:
        """The domain of the sender's address."""
        return self.sender.rpartition("@")[2]


def read_mail_settings(file: Path, *, secret: bool = True) -> MailSettings:
    """The table [mail] of a window's file; UsageError names file, line and reason.

    Without `secret` the password is not looked for.
    """
    text, document = read_document(file)
    values = document.get("mail")
    reader = TableReader(file, text, values if isinstance(values, dict) else {}, "mail")
    if not isinstance(values, dict):
        reader.refuse("", "the window says nothing of how mail is sent", "write a table [mail]")
    reader.only(KNOWN)
    name, sender = parseaddr(reader.line("from"))
    if not is_address(sender):
        reader.refuse("from", "from is an address such as 'Status <status@example.com>'")
    security = _security(reader)
    host, user = reader.line("host"), reader.line("user", "")
    if user and security == "none" and host not in LOOPBACK:
        reader.refuse("security", "a password is not sent in the clear", "say starttls or tls")
    ca_file = reader.line("ca_file", "")
    password = _password(reader) if user and secret else ""
    remember({"password": password, "user": user})
    return MailSettings(
        sender, name, host,
        port=_port(reader, security), security=security,
        ca_file=file.parent / ca_file if ca_file else None,
        user=user, password=password,
        timeout=_time(reader, "timeout", "30s", 300.0), retry=_time(reader, "retry", "30s", 3600.0),
    )  # fmt: skip


def _security(reader: TableReader) -> Security:
    said = reader.line("security", "starttls")
    known: tuple[Security, ...] = get_args(Security)
    found = next((one for one in known if one == said), None)
    if found is None:
        reader.refuse("security", f"security is {', '.join(known)}, not {said!r}")
    return found


def _port(reader: TableReader, security: Security) -> int:
    value = reader.values.get("port", PORTS[security])
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        reader.refuse("port", f"port is a number up to 65535, not {value!r}")
    return value


def _time(reader: TableReader, key: str, default: str, most: float) -> float:
    value = reader.values.get(key, default)
    found = seconds(key, value, reader.where(key))
    if not 0 < found <= most:
        reader.refuse(key, f"{key} is above 0 and at most {most:g} s, not {value!r}")
    return found


def _password(reader: TableReader) -> str:
    variable, name = reader.line("password_env", ""), reader.line("password_file", "")
    if bool(variable) == bool(name):
        reader.refuse("user", "a user needs one of password_env and password_file")
    if variable:
        if not os.environ.get(variable):
            reader.refuse("password_env", f"the variable {variable} is not set")
        return os.environ[variable]
    try:
        return (reader.file.parent / name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(
            f"the password cannot be read: {reason}", where=reader.where("password_file")
        ) from None
