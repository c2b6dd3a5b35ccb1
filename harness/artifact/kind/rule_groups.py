"""Groups of rules, as files of Prometheus and of Grafana's alerts have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def list_rules(value: Any) -> list[Mapping[str, Any]]:
    """Every rule of a parsed file; none of one that has no groups."""
    groups = value.get("groups") if isinstance(value, dict) else None
    return [
        rule
        for group in (groups if isinstance(groups, list) else [])
        for rule in _listed(group, "rules")
        if isinstance(rule, dict)
    ]


def _listed(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []
