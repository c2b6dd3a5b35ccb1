"""The kinds of [[hook]]: ours, and those of entry points `harness.hooks`.

A kind is the key of a [[hook]] table whose value says where the hook goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from harness.core.plugins import load_plugins, unusable_plugin

if TYPE_CHECKING:
    from harness.plan.hooks import Hook

GROUP: Final = "harness.hooks"
COMMON: Final = ("name", "on", "payload", "method", "timeout")
"""The keys that every [[hook]] may have, whatever its kind."""

Target = tuple[str, ...]
ReadTarget = Callable[[Any], Target | None]
"""Gives where a hook goes, from the value of its key; None for a value that is of another shape."""


def read_text(value: Any) -> Target | None:
    """One text with something in it."""
    return (value,) if _is_text(value) else None


def read_texts(value: Any) -> Target | None:
    """A list of such texts, such as a program and its arguments."""
    listed = isinstance(value, list) and bool(value) and all(map(_is_text, value))
    return tuple(value) if listed else None


def read_url(value: Any) -> Target | None:
    """An http or https URL with a host."""
    if not _is_text(value):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:  # such as a bracket of an address that is not closed
        return None
    return (value,) if parts.scheme in ("http", "https") and parts.netloc else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


@dataclass(frozen=True)
class HookKind:
    """A kind of hook: its key, what the key's value is, in words, and who reads it."""

    name: str
    shape: str
    read_target: ReadTarget = read_text


@dataclass(frozen=True)
class HookPlugin:
    """What an entry point names: a kind of hook, and who delivers one of it to a database's DSN.

    `deliver` returns once the receiver has taken the hook, and within the hook's timeout; it
    raises DeliveryFailed of harness.safety.hooks, with nothing secret in it, where nobody did.
    """

    kind: HookKind
    deliver: Callable[[str, Hook], None]


BUILT_IN: Final = (
    HookKind("notify", "a channel"),
    HookKind("http", "a URL", read_url),
    HookKind("command", "a list of texts", read_texts),
    HookKind("redis", 'a list of patterns of keys, such as ["pets:*"]', read_texts),
)


@cache
def list_plugins() -> Mapping[str, HookPlugin]:
    """Those of other packages, by kind; UsageError names the package of one that is not usable."""
    found: dict[str, HookPlugin] = {}
    taken = {*COMMON, *(kind.name for kind in BUILT_IN)}
    for point, plugin in load_plugins(GROUP, HookPlugin):
        name = plugin.kind.name
        if name in taken:
            raise unusable_plugin(point, f"a hook has a key {name!r} already")
        taken.add(name)
        found[name] = plugin
    return found


def list_kinds() -> Mapping[str, HookKind]:
    """Every kind by its key, ours first; raises as list_plugins does."""
    foreign = (plugin.kind for plugin in list_plugins().values())
    return {kind.name: kind for kind in (*BUILT_IN, *foreign)}
