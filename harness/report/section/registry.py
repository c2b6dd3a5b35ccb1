"""Every kind of evidence there is: ours, and those of entry points `harness.report_sections`.

An entry point names a `Section`; nothing else is needed for it to be gathered, judged and shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from harness.core.plugins import load_plugins, unusable_plugin
from harness.report.section import (
    acceptance,
    benchmark,
    counted,
    crash,
    dry_run,
    live,
    security,
    validate,
    verify,
)
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
    counted.API,
    counted.PEOPLE,
    counted.MEANWHILE,
    counted.ROLLBACK,
    counted.CLEANUP,
    counted.RESUME,
    crash.SECTION,
    live.SECTION,
    acceptance.SECTION,
    counted.MAINTENANCE,
    counted.WEBHOOKS,
    benchmark.SECTION,
    counted.ARTIFACTS,
    counted.SABOTAGE,
)


@cache
def list_sections() -> tuple[Section, ...]:
    """Ours, then those of other packages by name; UsageError when one of these cannot be used."""
    found = {section.name: section for section in BUILT_IN}
    for point, section in load_plugins(GROUP, Section):
        if section.name in found:
            raise unusable_plugin(point, f"there is a section {section.name!r} already")
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
