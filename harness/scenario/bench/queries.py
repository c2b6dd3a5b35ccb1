"""The queries of a subject: its own, and what its contract of old clients reads."""

from __future__ import annotations

from pathlib import Path

from harness.check.contract import file as contract_file
from harness.check.contract.file import ContractQuery
from harness.scenario.bench.query import BenchmarkQuery, load_queries


def queries_of(benchmarks: Path | None, contract: Path | None) -> tuple[BenchmarkQuery, ...]:
    """Those of a directory of benchmarks, then the reads of a contract that are not among them.

    Raises UsageError with file, line and reason.
    """
    own = load_queries(benchmarks) if benchmarks is not None else ()
    names = {query.name for query in own}
    reads = contract_file.load(contract, "read") if contract is not None else ()
    return (*own, *(_of_contract(one) for one in reads if one.name not in names))


def _of_contract(query: ContractQuery) -> BenchmarkQuery:
    return BenchmarkQuery(
        query.name, query.about, query.statements, query.statements, "contract",
        actor=query.actor(query.roles[0]), params=query.params, where=query.where(),
    )  # fmt: skip
