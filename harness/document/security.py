"""The security matrix: what each role may do on each relation and function, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.core.finding import Finding
from harness.document.base import Document, Word

Reaches = Mapping[str, Mapping[str, str]]
"""By role and command: how far the role reaches, such as all, some, none, denied."""


class RelationAccess(Document, frozen=True, kw_only=True):
    """One relation; `before` is null without a database from before, or where it is new."""

    name: str
    kind: str
    was: str | None
    new: bool
    before: Reaches | None
    after: Reaches | None
    explained: Mapping[str, str]


class FunctionAccess(Document, frozen=True, kw_only=True):
    """One function: who may call it."""

    name: str
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None


class SecurityDocument(Document, frozen=True, kw_only=True):
    """The whole matrix, and what in it is a finding."""

    verdict: Word
    findings: Sequence[Finding]
    roles: Sequence[str]
    commands: Sequence[str]
    relations: Sequence[RelationAccess]
    functions: Sequence[FunctionAccess]
