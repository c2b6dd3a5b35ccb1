"""What other packages register by entry points: loaded, and refused by the package's name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from harness.core.errors import UsageError

Plugin = TypeVar("Plugin")


def load_plugins(group: str, kind: type[Plugin]) -> Iterator[tuple[EntryPoint, Plugin]]:
    """Every object that an entry point of the group names, by the name of the point.

    Raises UsageError naming the package of one that cannot be imported or is of another kind.
    """
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            found = point.load()
        except (Exception, SystemExit) as error:  # whatever importing a foreign module may raise
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise unusable_plugin(point, f"it cannot be loaded: {reason}") from error
        if not isinstance(found, kind):
            named = f"it does not name a {kind.__name__} but {type(found).__name__}"
            raise unusable_plugin(point, named)
        yield point, found


def unusable_plugin(point: EntryPoint, reason: str) -> UsageError:
    """What is wrong with an entry point, in one sentence that names its package."""
    package = point.dist.name if point.dist else "an unknown package"
    return UsageError(
        f"{point.name} = {point.value} of {package}, entry point of {point.group}: {reason}",
        hint=f"correct or uninstall {package}",
    )
