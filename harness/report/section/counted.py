"""Evidence that is counted: a suite says what it did and of how much, and all of it must be there.

The parts that its tests leave are put together.
"""

from __future__ import annotations

from harness.document.counted import PartDocument
from harness.report.section.model import Claim, Section
from harness.report.tally import merge_parts


def counted_section(
    name: str,
    text: str = "",
    *,
    suites: tuple[str, ...] = (),
    own: tuple[str, ...] = (),
    required: bool = True,
) -> Section:
    """A kind of evidence of counted parts, with its claim if there is a text.

    Without `suites` it is the suite of the same name, and then the evidence too. `own` are the
    suites that only some projects have.
    """
    names = suites or (name,)
    claim = Claim(text, names, names, own) if text else None
    return Section(name, PartDocument, claim, required=required, merge=merge_parts)


FORWARD = counted_section("forward", "the migrated database is as specified")
CONTRACT = counted_section(
    "contract",
    "old clients read and write as before",
    suites=("contract", "compatibility"),
    own=("compatibility",),
)
API = counted_section("api", "the API answers as before, and announces what goes away")
COMPATIBILITY = counted_section("compatibility")
MEANWHILE = counted_section("meanwhile", "what users do meanwhile is kept", own=("meanwhile",))
ROLLBACK = counted_section("rollback", "rolled back, the database is what it was")
CLEANUP = counted_section("cleanup", "the clean-up takes what it says and no more")
RESUME = counted_section("resume", "killed, the run is taken up again and ends the same")
MAINTENANCE = counted_section(
    "maintenance", "maintenance shuts the application out, and opens again by itself"
)
ARTIFACTS = counted_section(
    "artifacts", "what names the schema is rewritten, and goes on or is declared"
)
WEBHOOKS = counted_section("webhooks", "receivers of webhooks are told the same, whoever is killed")
PEOPLE = counted_section("people", "those who wait are told each thing once, and from here alone")
SABOTAGE = counted_section(
    "sabotage",
    "defects planted in the migration are caught",
    own=("sabotage",),
    required=False,
)
