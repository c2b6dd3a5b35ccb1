"""What an SQLSTATE means for a migration: how bad it is, whether again may help, what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Severity = Literal["transient", "resource", "environment", "plan", "data", "bug"]


@dataclass(frozen=True)
class Advice:
    """Whose fault an error is, whether trying again may help, and what a person should do."""

    severity: Severity
    retryable: bool
    advice: str


BY_STATE: dict[str, Advice] = {
    "55P03": Advice(
        "transient", True, "a lock was not granted in time; look for long transactions"
    ),
    "57014": Advice("transient", True, "the statement was cancelled or ran into its timeout"),
    "40P01": Advice("transient", True, "a deadlock; the other transaction went on"),
    "40001": Advice("transient", True, "a concurrent change; the transaction is run again"),
    "53100": Advice("resource", False, "the disk is full; free space, then run again"),
    "53200": Advice("resource", False, "the server is out of memory; run again when it is not"),
    "53300": Advice("resource", False, "no connection is left; run again when one is"),
    "42501": Advice("environment", False, "run as the owner of the objects, or be granted this"),
    "42601": Advice("plan", False, "correct the SQL"),
    "42P01": Advice("plan", False, "the relation is not there; names must be schema-qualified"),
    "42703": Advice("plan", False, "the column is not there; was the schema changed by hand"),
    "42704": Advice("plan", False, "the object is not there; names must be schema-qualified"),
    "42883": Advice("plan", False, "no such function; names and types must be schema-qualified"),
    "42P07": Advice("environment", False, "it is there already; look who made it"),
    "42710": Advice("environment", False, "it is there already; look who made it"),
    "42701": Advice("environment", False, "the column is there already; look who made it"),
    "2BP01": Advice("environment", False, "something not in the plan depends on it"),
    "0A000": Advice("plan", False, "this server cannot do that"),
    "55P04": Advice(
        "plan", False, "a label that this transaction added is used in it; add it in a step before"
    ),
    "42P06": Advice("environment", False, "it is there already; look who made it"),
    "42723": Advice("environment", False, "it is there already; look who made it"),
    "58P01": Advice("environment", False, "a file of the server is missing; is it all installed"),
    "23502": Advice("data", False, "a row holds NULL where the new rule forbids it"),
    "23503": Advice("data", False, "a row points to one that is not there"),
    "23505": Advice("data", False, "two rows share a key that must be unique"),
    "23514": Advice("data", False, "a row breaks the new check"),
    "25P03": Advice("transient", True, "the server ended an idle transaction of the runner"),
    "25P04": Advice("plan", False, "the script's own transaction_timeout passed; give it more"),
    "25006": Advice("environment", False, "the database is read-only; end its maintenance mode"),
}
BY_CLASS: dict[str, Advice] = {
    "08": Advice("transient", True, "the connection was lost; run again to resume"),
    "22": Advice("data", False, "a value does not fit; correct the rows or the statement"),
    "23": Advice("data", False, "rows break a constraint; correct them, then run again"),
    "25": Advice("bug", False, "the transaction is in an unexpected state"),
    "28": Advice("environment", False, "the role may not log in so"),
    "40": Advice("transient", True, "the transaction was rolled back; it is run again"),
    "42": Advice("plan", False, "correct the plan's SQL, or the schema it meets"),
    "53": Advice("resource", False, "the server lacks resources; run again when it has them"),
    "54": Advice("plan", False, "a limit of the server was reached"),
    "55": Advice("environment", False, "the object is in use or not in the needed state"),
    "57": Advice("transient", True, "an operator intervened; run again to resume"),
    "58": Advice("resource", False, "the server's system failed; read its log"),
    "P0": Advice("plan", False, "the plan's own code raised this"),
    "XX": Advice("bug", False, "the server reports an internal error; read its log"),
}
UNKNOWN = Advice("bug", False, "look the SQLSTATE up in PostgreSQL's appendix A")


def lookup(sqlstate: str | None) -> Advice:
    """The advice for an SQLSTATE: by the state, else by its class, else what is always true."""
    if not sqlstate:
        return UNKNOWN
    return BY_STATE.get(sqlstate) or BY_CLASS.get(sqlstate[:2]) or UNKNOWN


EXTENSION = re.compile(r'extension "[^"]+" is not available|extension control file')


def special(sqlstate: str | None, message: str) -> str | None:
    """Advice that hangs on the message, not on the SQLSTATE alone; None when there is none."""
    if sqlstate in ("0A000", "58P01") and EXTENSION.search(message):
        return (
            "install it on the server; of the servers that the harness starts,"
            " --server system has what Debian's packages bring"
        )
    return None
