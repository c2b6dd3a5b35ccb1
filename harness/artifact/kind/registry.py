"""The kinds of artifacts by name, in the order in which a file is offered to them.

An entry point of the group `harness.artifacts` names an `ArtifactKind`, which comes before ours.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from harness.artifact.kind.grafana import GRAFANA
from harness.artifact.kind.metrics import EXPORTER, RULES
from harness.artifact.kind.model import ArtifactKind
from harness.artifact.kind.report import REPORT
from harness.core.plugins import load_plugins, unusable_plugin

GROUP: Final = "harness.artifacts"
BUILT_IN: Final = (RULES, GRAFANA, EXPORTER, REPORT)


@cache
def list_kinds() -> tuple[ArtifactKind, ...]:
    """Every kind. Raises UsageError for an entry point that cannot be used."""
    found: list[ArtifactKind] = []
    taken = {kind.name for kind in BUILT_IN}
    for point, kind in load_plugins(GROUP, ArtifactKind):
        if kind.name in taken:
            raise unusable_plugin(point, f"there is a kind of artifact {kind.name!r} already")
        taken.add(kind.name)
        found.append(kind)
    return (*found, *BUILT_IN)
