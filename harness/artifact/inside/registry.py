"""The kinds of artifacts in a database, in the order in which they are told.

An entry point of the group `harness.inside_artifacts` names an `InsideKind`, after ours.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from harness.artifact.inside.foreign import find_foreign_tables
from harness.artifact.inside.functions import find_functions
from harness.artifact.inside.jobs import find_jobs
from harness.artifact.inside.model import InsideKind
from harness.artifact.inside.names import find_foreign_keys, find_upserts
from harness.artifact.inside.publications import find_publications, find_subscriptions
from harness.artifact.inside.requests import find_requests
from harness.artifact.inside.triggers import find_triggers
from harness.artifact.inside.views import find_views
from harness.core.plugins import load_plugins, unusable_plugin

GROUP: Final = "harness.inside_artifacts"
BUILT_IN: Final = (
    InsideKind("trigger", find_triggers),
    InsideKind("publication", find_publications),
    InsideKind("subscription", find_subscriptions),
    InsideKind("job", find_jobs),
    InsideKind("function", find_functions),
    InsideKind("view", find_views),
    InsideKind("foreign table", find_foreign_tables),
    InsideKind("request", find_requests),
    InsideKind("foreign key", find_foreign_keys),
    InsideKind("upsert", find_upserts),
)


@cache
def list_inside_kinds() -> tuple[InsideKind, ...]:
    """Every kind. Raises UsageError for an entry point that cannot be used."""
    found = {kind.name: kind for kind in BUILT_IN}
    for point, kind in load_plugins(GROUP, InsideKind):
        if kind.name in found:
            raise unusable_plugin(point, f"there is a kind {kind.name!r} already")
        found[kind.name] = kind
    return tuple(found.values())
