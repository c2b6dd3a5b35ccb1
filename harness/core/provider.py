"""Where a Postgres may come from, by the names that options and project files use."""

from __future__ import annotations

from typing import Final

PROVIDERS: Final = ("auto", "container", "embedded", "system", "existing")
