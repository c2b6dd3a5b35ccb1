"""Every SQLSTATE the harness knows: its name, whether the runner retries it, what a person does.

The names are those of PostgreSQL's appendix A. Where an exception is at hand, `psycopg.errors` has
a class of the same name; these constants are for what is recorded, compared and told as text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

FEATURE_NOT_SUPPORTED: Final = "0A000"
STRING_DATA_RIGHT_TRUNCATION: Final = "22001"
NUMERIC_VALUE_OUT_OF_RANGE: Final = "22003"
DIVISION_BY_ZERO: Final = "22012"
INVALID_TEXT_REPRESENTATION: Final = "22P02"
NOT_NULL_VIOLATION: Final = "23502"
FOREIGN_KEY_VIOLATION: Final = "23503"
UNIQUE_VIOLATION: Final = "23505"
CHECK_VIOLATION: Final = "23514"
EXCLUSION_VIOLATION: Final = "23P01"
ACTIVE_SQL_TRANSACTION: Final = "25001"
READ_ONLY_SQL_TRANSACTION: Final = "25006"
IDLE_IN_TRANSACTION_SESSION_TIMEOUT: Final = "25P03"
TRANSACTION_TIMEOUT: Final = "25P04"
INVALID_PASSWORD: Final = "28P01"  # noqa: S105 - the name of a state
DEPENDENT_OBJECTS_STILL_EXIST: Final = "2BP01"
INVALID_CATALOG_NAME: Final = "3D000"
INVALID_SCHEMA_NAME: Final = "3F000"
SERIALIZATION_FAILURE: Final = "40001"
DEADLOCK_DETECTED: Final = "40P01"
INSUFFICIENT_PRIVILEGE: Final = "42501"
SYNTAX_ERROR: Final = "42601"
DUPLICATE_COLUMN: Final = "42701"
AMBIGUOUS_COLUMN: Final = "42702"
UNDEFINED_COLUMN: Final = "42703"
UNDEFINED_OBJECT: Final = "42704"
DUPLICATE_OBJECT: Final = "42710"
DUPLICATE_FUNCTION: Final = "42723"
AMBIGUOUS_FUNCTION: Final = "42725"
DATATYPE_MISMATCH: Final = "42804"
WRONG_OBJECT_TYPE: Final = "42809"
UNDEFINED_FUNCTION: Final = "42883"
UNDEFINED_TABLE: Final = "42P01"
DUPLICATE_SCHEMA: Final = "42P06"
DUPLICATE_TABLE: Final = "42P07"
INVALID_COLUMN_REFERENCE: Final = "42P10"
DISK_FULL: Final = "53100"
OUT_OF_MEMORY: Final = "53200"
TOO_MANY_CONNECTIONS: Final = "53300"
CONFIGURATION_LIMIT_EXCEEDED: Final = "53400"
TOO_MANY_COLUMNS: Final = "54011"
OBJECT_NOT_IN_PREREQUISITE_STATE: Final = "55000"
OBJECT_IN_USE: Final = "55006"
LOCK_NOT_AVAILABLE: Final = "55P03"
UNSAFE_NEW_ENUM_VALUE_USAGE: Final = "55P04"
QUERY_CANCELED: Final = "57014"
ADMIN_SHUTDOWN: Final = "57P01"
CRASH_SHUTDOWN: Final = "57P02"
CANNOT_CONNECT_NOW: Final = "57P03"
DATABASE_DROPPED: Final = "57P04"
IDLE_SESSION_TIMEOUT: Final = "57P05"
UNDEFINED_FILE: Final = "58P01"
RAISE_EXCEPTION: Final = "P0001"

CONNECTION_LOST: Final = frozenset(
    {
        ADMIN_SHUTDOWN,
        CRASH_SHUTDOWN,
        CANNOT_CONNECT_NOW,
        DATABASE_DROPPED,
        IDLE_SESSION_TIMEOUT,
        IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        TRANSACTION_TIMEOUT,
    }
)
"""The server ended the session; so does every state of class 08."""
TIMED_OUT: Final = frozenset({QUERY_CANCELED, LOCK_NOT_AVAILABLE})
"""The work took, or waited, longer than allowed: less of it at once may fit."""
UNDEFINED_NAME: Final = frozenset(
    {UNDEFINED_TABLE, UNDEFINED_COLUMN, UNDEFINED_FUNCTION, UNDEFINED_OBJECT}
)
"""A name in the query is not in the database."""
INTEGRITY_VIOLATION: Final = "23"
CONNECTION_EXCEPTION: Final = "08"
CONNECTION_FAILURE: Final = "08006"
NAME_OR_TYPE: Final = "42"
"""How states begin that say a name or a type is not what the statement takes it for."""
UNREACHABLE: Final = (CONNECTION_EXCEPTION, "28", "3D", "53", "57P")
"""How states begin that say the server cannot be used: connection, login, database, resources."""

Severity = Literal["transient", "resource", "environment", "plan", "data", "bug"]
Retry = Literal["never", "briefly", "patiently"]


@dataclass(frozen=True)
class Advice:
    """Whose fault an error is, whether the runner tries again by itself, what a person should do.

    A `briefly` retried statement gets few attempts, for a slow statement stays slow; `patiently`
    means as many as the plan's settings say.
    """

    severity: Severity
    advice: str
    retry: Retry = "never"


_THERE_ALREADY = Advice("environment", "it is there already; look who made it")

BY_STATE: dict[str, Advice] = {
    LOCK_NOT_AVAILABLE: Advice(
        "transient", "a lock was not granted in time; look for long transactions", "patiently"
    ),
    QUERY_CANCELED: Advice(
        "transient", "the statement was cancelled or ran into its timeout", "briefly"
    ),
    DEADLOCK_DETECTED: Advice(
        "transient", "a deadlock; the other transaction went on", "patiently"
    ),
    SERIALIZATION_FAILURE: Advice(
        "transient", "a concurrent change; the transaction is run again", "patiently"
    ),
    DISK_FULL: Advice("resource", "the disk is full; free space, then run again"),
    OUT_OF_MEMORY: Advice("resource", "the server is out of memory; run again when it is not"),
    TOO_MANY_CONNECTIONS: Advice(
        "resource",
        "no connection is free: close idle ones, or raise max_connections or the CONNECTION LIMIT"
        " of the role or the database; then run again",
    ),
    CONFIGURATION_LIMIT_EXCEEDED: Advice(
        "resource", "a limit of the server's settings was met, such as temp_file_limit: raise it"
    ),
    CANNOT_CONNECT_NOW: Advice(
        "transient", "the server starts, stops or recovers: run again in a moment"
    ),
    ADMIN_SHUTDOWN: Advice(
        "transient", "the server was shut down, or the session ended by hand; run again to resume"
    ),
    CRASH_SHUTDOWN: Advice("transient", "the server crashed; read its log, then run again"),
    IDLE_SESSION_TIMEOUT: Advice(
        "transient", "the server ended an idle session (idle_session_timeout); run again to resume"
    ),
    DATABASE_DROPPED: Advice("environment", "the database was dropped meanwhile"),
    INVALID_PASSWORD: Advice(
        "environment",
        "the password is wrong, or the role has none: check the DSN's password, PGPASSWORD and the"
        " passfile",
    ),
    INVALID_CATALOG_NAME: Advice("environment", "check the database's name, or create it"),
    INSUFFICIENT_PRIVILEGE: Advice(
        "environment", "run as the owner of the objects, or be granted this"
    ),
    SYNTAX_ERROR: Advice("plan", "correct the SQL"),
    UNDEFINED_TABLE: Advice("plan", "the relation is not there; names must be schema-qualified"),
    UNDEFINED_COLUMN: Advice("plan", "the column is not there; was the schema changed by hand"),
    UNDEFINED_OBJECT: Advice("plan", "the object is not there; names must be schema-qualified"),
    UNDEFINED_FUNCTION: Advice(
        "plan", "no such function; names and types must be schema-qualified"
    ),
    DUPLICATE_TABLE: _THERE_ALREADY,
    DUPLICATE_OBJECT: _THERE_ALREADY,
    DUPLICATE_SCHEMA: _THERE_ALREADY,
    DUPLICATE_FUNCTION: _THERE_ALREADY,
    DUPLICATE_COLUMN: Advice("environment", "the column is there already; look who made it"),
    DEPENDENT_OBJECTS_STILL_EXIST: Advice("environment", "something not in the plan depends on it"),
    INVALID_SCHEMA_NAME: Advice("plan", "the schema is not there; make it in a step before"),
    AMBIGUOUS_COLUMN: Advice("plan", "two tables have the column; say whose it is"),
    DATATYPE_MISMATCH: Advice("plan", "the types do not fit; cast the value"),
    WRONG_OBJECT_TYPE: Advice("plan", "the name is that of another kind of object"),
    INVALID_COLUMN_REFERENCE: Advice(
        "plan", "ON CONFLICT, a foreign key or ORDER BY names no column or key that suits it"
    ),
    TOO_MANY_COLUMNS: Advice("plan", "a table has room for 1600 columns, dropped ones counted"),
    ACTIVE_SQL_TRANSACTION: Advice("plan", "the statement cannot run in a transaction"),
    OBJECT_IN_USE: Advice(
        "environment", "the object is used by a session, or waits for triggers of this transaction"
    ),
    OBJECT_NOT_IN_PREREQUISITE_STATE: Advice(
        "environment",
        "the object is not in the state that is needed: an index not valid, a view"
        " not populated, a sequence not used",
    ),
    RAISE_EXCEPTION: Advice("plan", "the plan's own code, or a trigger, raised this"),
    FEATURE_NOT_SUPPORTED: Advice("plan", "this server cannot do that"),
    UNSAFE_NEW_ENUM_VALUE_USAGE: Advice(
        "plan", "a label that this transaction added is used in it; add it in a step before"
    ),
    UNDEFINED_FILE: Advice("environment", "a file of the server is missing; is it all installed"),
    NOT_NULL_VIOLATION: Advice("data", "a row holds NULL where the new rule forbids it"),
    FOREIGN_KEY_VIOLATION: Advice("data", "a row points to one that is not there"),
    UNIQUE_VIOLATION: Advice("data", "two rows share a key that must be unique"),
    CHECK_VIOLATION: Advice("data", "a row breaks the new check"),
    EXCLUSION_VIOLATION: Advice("data", "two rows exclude each other"),
    STRING_DATA_RIGHT_TRUNCATION: Advice("data", "a text is longer than its new type allows"),
    NUMERIC_VALUE_OUT_OF_RANGE: Advice("data", "a number is too large for its new type"),
    DIVISION_BY_ZERO: Advice("data", "a row makes a statement divide by zero"),
    INVALID_TEXT_REPRESENTATION: Advice("data", "a text cannot be read as a value of the new type"),
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT: Advice(
        "transient", "the server ended an idle transaction of the runner"
    ),
    TRANSACTION_TIMEOUT: Advice(
        "plan", "the script's own transaction_timeout passed; give it more"
    ),
    READ_ONLY_SQL_TRANSACTION: Advice(
        "environment", "the database is read-only; end its maintenance mode"
    ),
}
BY_CLASS: dict[str, Advice] = {
    CONNECTION_EXCEPTION: Advice("transient", "the connection was lost; run again to resume"),
    "22": Advice("data", "a value does not fit; correct the rows or the statement"),
    INTEGRITY_VIOLATION: Advice("data", "rows break a constraint; correct them, then run again"),
    "25": Advice("bug", "the transaction is in an unexpected state"),
    "28": Advice("environment", "the role may not log in like this"),
    "40": Advice("transient", "the transaction was rolled back; run again to resume"),
    "42": Advice("plan", "correct the plan's SQL, or the schema it meets"),
    "53": Advice("resource", "the server lacks resources; run again when it has them"),
    "54": Advice("plan", "a limit of the server was reached"),
    "55": Advice("environment", "the object is in use or not in the needed state"),
    "57": Advice("transient", "an operator intervened; run again to resume"),
    "58": Advice("resource", "the server's system failed; read its log"),
    "P0": Advice("plan", "the plan's own code raised this"),
    "XX": Advice("bug", "the server reports an internal error; read its log"),
}
CLASSES: Final[dict[str, str]] = {
    CONNECTION_EXCEPTION: "connection exception",
    "0A": "feature not supported",
    "22": "data exception",
    INTEGRITY_VIOLATION: "integrity constraint violation",
    "25": "invalid transaction state",
    "28": "invalid authorization",
    "2B": "dependent privileges or objects",
    "3D": "invalid catalog name",
    "3F": "invalid schema name",
    "40": "transaction rollback",
    NAME_OR_TYPE: "syntax error or access rule violation",
    "53": "insufficient resources",
    "54": "program limit exceeded",
    "55": "object not in prerequisite state",
    "57": "operator intervention",
    "58": "system error",
    "P0": "PL/pgSQL error",
    "XX": "internal error",
}
"""The names of the classes, by their first two letters, for every state of the table."""
UNKNOWN = Advice("bug", "look the SQLSTATE up in PostgreSQL's appendix A")


def advice_for(sqlstate: str | None) -> Advice:
    """The advice for an SQLSTATE: by the state, else by its class, else where to look it up."""
    if not sqlstate:
        return UNKNOWN
    return BY_STATE.get(sqlstate) or BY_CLASS.get(sqlstate[:2]) or UNKNOWN


def class_of(sqlstate: str | None) -> str:
    """The name of a state's class, `unknown` for one that is not in the table."""
    return CLASSES.get((sqlstate or "")[:2], "unknown")


WORDS: Final[dict[str, str]] = {
    r"too many (?:clients|connections)|remaining connection slots": TOO_MANY_CONNECTIONS,
    r"no more connections allowed": TOO_MANY_CONNECTIONS,
    r"database system is (?:starting up|shutting down|in recovery)": CANNOT_CONNECT_NOW,
    r"not (?:yet )?accepting connections": CANNOT_CONNECT_NOW,
    r"password authentication failed": INVALID_PASSWORD,
    r"database .* does not exist": INVALID_CATALOG_NAME,
    r"due to administrator command": ADMIN_SHUTDOWN,
    r"because of crash of another server process": CRASH_SHUTDOWN,
}
"""Of an error without a session libpq tells the words alone."""


def state_by_words(message: str) -> str | None:
    """The SQLSTATE that stands behind libpq's words for a refused connection, where it is known."""
    for pattern, state in WORDS.items():
        if re.search(pattern, message, re.IGNORECASE):
            return state
    return None


EXTENSION = re.compile(r'extension "[^"]+" is not available|extension control file')


def advice_for_message(sqlstate: str | None, message: str) -> str | None:
    """Advice that depends on the message, not on the SQLSTATE alone; None when there is none."""
    if sqlstate in (FEATURE_NOT_SUPPORTED, UNDEFINED_FILE) and EXTENSION.search(message):
        return (
            "install it on the server; of the servers that the harness starts,"
            " --server system has what Debian's packages bring"
        )
    return None
