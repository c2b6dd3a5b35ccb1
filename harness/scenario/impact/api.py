"""The API of a subject's schema, where its contract names one; its report below --out."""

from __future__ import annotations

from harness.artifact.renames import RenameMap
from harness.core.errors import UsageError
from harness.document.api import ApiDocument
from harness.scenario.api.report import write_report
from harness.scenario.api.run import look_at_api
from harness.scenario.api.subject import api_of
from harness.scenario.impact.clones import Clones
from harness.scenario.impact.settings import ImpactSettings

REPORT = "report"


def look_at_subject(
    settings: ImpactSettings, clones: Clones, renames: RenameMap
) -> ApiDocument | None:
    """The changes of the API, replayed on both clones; None where the subject names no API.

    On the way back there is none, either: its requests are those of old clients. Raises UsageError
    where the report cannot be written.
    """
    contract = None if settings.back else api_of(settings.subject)
    if contract is None:
        return None
    look = look_at_api(clones.before, clones.after, renames, contract)
    if settings.out is not None:
        try:
            write_report(look, settings.out / REPORT)
        except OSError as error:
            where = str(settings.out / REPORT)
            raise UsageError(f"cannot write: {error.strerror}", where=where) from error
    return look.document
