"""[[hook]] of plan.toml: what is told that the schema is another one now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.core.errors import UsageError
from harness.plan.hook_kinds import COMMON, HookKind, list_kinds
from harness.plan.reader import Reader

Occasion = Literal["migrated", "rolled-back"]
OCCASIONS: tuple[Occasion, ...] = ("migrated", "rolled-back")


@dataclass(frozen=True)
class Hook:
    """One hook. `target` is where it goes, as its kind has it; times in seconds.

    `on` names occasions: a run that came to its end, or a phase that a migration finished.
    """

    name: str
    kind: str
    target: tuple[str, ...]
    on: tuple[str, ...] = OCCASIONS
    payload: str = ""
    method: str = "POST"
    timeout: float = 10.0


def read_hooks(reader: Reader, document: dict[str, Any]) -> tuple[Hook, ...]:
    """Every [[hook]], in order; UsageError for what is wrong with one."""
    entries = document.get("hook", [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise UsageError("a hook is a table of its own: [[hook]]", where=reader.where("hook"))
    found: list[Hook] = []
    phases = document.get("phase", [])
    known = [str(one.get("id")) for one in phases if isinstance(one, dict)]
    for entry in entries:
        hook = _hook(reader, entry, known)
        if any(one.name == hook.name for one in found):
            where = reader.where("name", "hook")
            raise UsageError(f"hook {hook.name!r} is declared twice", where=where)
        found.append(hook)
    return tuple(found)


def _hook(reader: Reader, entry: dict[str, Any], phases: Sequence[str]) -> Hook:
    known = list_kinds()
    reader.only(entry, {*COMMON, *known}, "hook")
    kinds = [kind for name, kind in known.items() if name in entry]
    if len(kinds) != 1:
        raise UsageError(
            f"a hook has one of {', '.join(known)}", where=reader.where("name", "hook")
        )
    on = reader.texts(entry, "on", "hook") or OCCASIONS
    for occasion in on:
        if occasion not in (*OCCASIONS, *phases):
            raise UsageError(
                f"on is a list of {', '.join(OCCASIONS)} and phases of the plan, not {occasion!r}",
                where=reader.where("on", "hook"),
            )
    timeout = reader.time(entry, "timeout", Hook.timeout, "hook")
    if not 0 < timeout <= 600:  # ten minutes: a run waits for its hooks
        raise UsageError(
            "timeout is above 0 and at most 10min", where=reader.where("timeout", "hook")
        )
    return Hook(
        name=reader.text(entry, "name", "hook"),
        kind=kinds[0].name,
        target=_target(reader, entry, kinds[0]),
        on=on,
        payload=reader.text(entry, "payload", "hook") if "payload" in entry else "",
        method=reader.text(entry, "method", "hook") if "method" in entry else Hook.method,
        timeout=timeout,
    )


def _target(reader: Reader, entry: dict[str, Any], kind: HookKind) -> tuple[str, ...]:
    found = kind.read_target(entry[kind.name])
    if found is None:
        where = reader.where(kind.name, "hook")
        raise UsageError(f"{kind.name} is {kind.shape}", where=where)
    return found
