"""Old clients get what they always got: reads row for row, writes by their answers and effects."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check import contract
from harness.check.contract import file as contract_file
from harness.check.contract.file import ContractQuery
from harness.check.contract.providers import PROVIDERS
from harness.check.contract.session import Provider
from harness.report import evidence

from .support import SMALL, CloneFactory, TemplateFactory

DIFFERENT = "different"  # below the contract: what is known to be answered otherwise afterwards


def counted(provider: Provider, names: list[str], what: str) -> None:
    """Count queries that one provider asked, of all that every provider must ask."""
    every = [f"{name} {one.name}" for one in PROVIDERS for name in names]
    evidence.count("contract", what, [f"{name} {provider.name}" for name in names], every)


def written(directory: Path) -> list[ContractQuery]:
    """What is asked in the order in which it writes; last what is known to differ."""
    known = directory / DIFFERENT
    more = contract_file.load_all(known) if known.is_dir() else ()
    return [*contract_file.load(directory, "write"), *more]


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.name)
def test_reads_are_answered_as_before(
    provider: Provider, harness_contract: Path, harness_source: str, harness_target: str
) -> None:
    reads = contract_file.load(harness_contract, "read")
    recording = contract.record(harness_source, reads, provider)
    assert contract.replay(harness_target, recording, provider) == []
    counted(provider, [query.name for query in reads], "reads through drivers")


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.name)
def test_writes_do_what_they_did_and_differ_as_known(
    provider: Provider,
    harness_contract: Path,
    harness_template: TemplateFactory,
    harness_migrated_template: TemplateFactory,
    harness_clone: CloneFactory,
) -> None:
    writes = written(harness_contract)
    recording = contract.record(harness_clone(harness_template(rows=SMALL)), writes, provider)
    after = harness_clone(harness_migrated_template(rows=SMALL))
    assert contract.replay(after, recording, provider) == []
    counted(provider, [query.name for query in writes], "writes through drivers")
