"""Every kind of evidence there is: ours, and those of entry points `harness.report_sections`.

An entry point names a `Section`; nothing else is needed for it to be gathered, judged and shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from harness.core.errors import UsageError
from harness.report.section import counted, crash, dry_run, security, validate, verify
from harness.report.section.model import Claim, Section

GROUP: Final = "harness.report_sections"
BUILT_IN: Final = (
    validate.SECTION,
    dry_run.SECTION,
    counted.FORWARD,
    verify.SECTION,
    security.SECTION,
    counted.CONTRACT,
    counted.COMPATIBILITY,
    counted.MEANWHILE,
    counted.ROLLBACK,
    counted.CLEANUP,
    counted.RESUME,
    crash.SECTION,
    counted.SABOTAGE,
)


@cache
def list_sections() -> tuple[Section, ...]:
    """Ours, then those of other packages by name; UsageError when one of these cannot be used."""
    found = {section.name: section for section in BUILT_IN}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        section = _load_section(point)
        if section.name in found:
            raise _unusable(point, f"there is a section {section.name!r} already")
        found[section.name] = section
    return tuple(found.values())


def find_section(name: str) -> Section:
    """The section of that name; for a name that nobody registered one that knows its words."""
    return next((one for one in list_sections() if one.name == name), Section(name))


def list_required() -> tuple[str, ...]:
    """The kinds without which there is no GO."""
    return tuple(section.name for section in list_sections() if section.required)


def list_claims() -> tuple[Claim, ...]:
    """What a gate proves, a claim of each section that has one."""
    return tuple(_claims())


def _claims() -> Iterator[Claim]:
    for section in list_sections():
        if section.claim is not None:
            yield section.claim


def _load_section(point: EntryPoint) -> Section:
    try:
        found = point.load()
    except Exception as error:
        raise _unusable(point, f"{type(error).__name__}: {error}") from error
    if not isinstance(found, Section):
        raise _unusable(point, f"it is {type(found).__name__}, not a Section")
    return found


def _unusable(point: EntryPoint, reason: str) -> UsageError:
    package = point.dist.name if point.dist else "an unknown package"
    return UsageError(
        f"the report section {point.name!r} ({point.value}) of {package} cannot be used: {reason}",
        hint=f"correct or uninstall {package}",
    )
