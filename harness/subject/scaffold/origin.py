"""What pip must be told to install this harness again, on another machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from harness.core.extras import DISTRIBUTION


@dataclass(frozen=True)
class Origin:
    """A requirement for pip; `wheel` is the file that must be put there first, if one must."""

    requirement: str
    wheel: str | None = None


def find_origin() -> Origin:
    """Where this harness was installed from: an index, a commit, or a wheel that people copy."""
    try:
        installed = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return Origin(DISTRIBUTION)
    return origin_of(installed.version, installed.read_text("direct_url.json"))


def origin_of(version: str, direct_url: str | None) -> Origin:
    """The origin that pip's record tells of; without a record it was an index."""
    if direct_url is None:
        return Origin(f"{DISTRIBUTION}=={version}")
    record: dict[str, Any] = json.loads(direct_url)
    commit = record.get("vcs_info", {}).get("commit_id")
    if commit:
        return Origin(f"{DISTRIBUTION} @ git+{record['url']}@{commit}")
    if str(record["url"]).startswith(("http://", "https://")):
        return Origin(f"{DISTRIBUTION} @ {record['url']}")
    wheel = f"wheels/{DISTRIBUTION.replace('-', '_')}-{version}-py3-none-any.whl"
    return Origin(f"./{wheel}", wheel)
