"""No password in what pytest keeps: tracebacks, arguments, locals, captured output, ids, logs.

A test that fails with a DSN in one of its frames prints it, and CI keeps that. Reports are redacted
where they are made, which with xdist is the worker: terminal, junit.xml and the gate read them.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Generator
from typing import Any, Final, TypeVar, cast

import pytest

T = TypeVar("T")
SERVER: Final = "harness.server"
"""A session that has not imported it holds no DSN of ours: nothing of it is changed."""
_plain_factory = pytest.StashKey[Any]()


def pytest_configure(config: pytest.Config) -> None:
    """Redact log records when they are made: a live log and a log file are no reports."""
    plain = logging.getLogRecordFactory()
    config.stash[_plain_factory] = plain

    def redacted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = plain(*args, **kwargs)
        if SERVER not in sys.modules:
            return record
        try:
            said = record.getMessage()
        except Exception:  # whoever wrote it will hear of it from logging itself
            return record
        clean = _redact(said)
        if clean != said:
            record.msg, record.args = clean, None
        return record

    logging.setLogRecordFactory(redacted)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave logging as it was."""
    if _plain_factory in config.stash:
        logging.setLogRecordFactory(config.stash[_plain_factory])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Redact a test's report, whatever the other plugins made of it."""
    report = yield
    _report(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Redact a collection's report."""
    report = yield
    _report(report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any) -> None:
    """Redact what pytest says of an error of its own or of a plugin's."""
    redact_parts(excrepr)


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Redact a warning before anybody keeps it."""
    said = warning_message.message
    if isinstance(said, Warning):
        said.args = tuple(redact_parts(one) for one in said.args)


def pytest_make_parametrize_id(val: object) -> str | None:
    """A DSN as a parameter is named without its password."""
    if not isinstance(val, str):
        return None
    clean = _redact(val)
    return clean if clean != val else None


def redact_parts(value: T) -> T:
    """The same without passwords: texts are replaced, pytest's own objects are changed in place."""
    if isinstance(value, str):
        return _redact(value)  # type: ignore[return-value] # a str for a str
    if isinstance(value, list):
        value[:] = [redact_parts(one) for one in value]
    elif type(value) is tuple:
        parts = cast("tuple[Any, ...]", value)
        return tuple(redact_parts(one) for one in parts)  # type: ignore[return-value] # likewise
    elif type(value).__module__.startswith("_pytest."):
        for name, part in vars(value).items():
            setattr(value, name, redact_parts(part))
    return value


def _report(report: Any) -> None:
    for name in ("longrepr", "sections", "user_properties"):
        if getattr(report, name, None):
            setattr(report, name, redact_parts(getattr(report, name)))


def _redact(text: str) -> str:
    if SERVER not in sys.modules:
        return text
    from harness.server.secrets import redact

    return redact(text)
