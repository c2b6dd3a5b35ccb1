"""One artifact: read from its file, rewritten as a whole or, query by query, left as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final

from harness.artifact.follow import bare_name, chosen_values, result_names
from harness.artifact.kind.model import ArtifactKind, Found, FoundName, FoundQuery
from harness.artifact.kind.registry import list_kinds
from harness.artifact.kind.report import read_sql
from harness.artifact.promql import relation_pairs, rewrite_promql
from harness.artifact.renames import RenameMap, ValuePairs
from harness.artifact.sql.edits import Doubt, Edit
from harness.artifact.sql.grafana import UnexpandedText, mask_grafana
from harness.artifact.sql.mask import Masked
from harness.artifact.sql.rewrite import RewrittenSQL, place_of, rewrite_sql
from harness.artifact.text.json_tree import read_json
from harness.artifact.text.spot import Splice, UnreadSpot, splice, splices_of
from harness.artifact.text.tree import Path, TextTree, UnreadTree, spell_path
from harness.artifact.text.yaml_tree import read_yaml

READERS: Final = {".json": read_json, ".yaml": read_yaml, ".yml": read_yaml, ".rules": read_yaml,
                  ".sql": read_sql}  # fmt: skip


@dataclass(frozen=True)
class Artifact:
    """A file that a kind recognised, with what it found."""

    path: FilePath
    text: str
    kind: ArtifactKind
    tree: TextTree
    found: Found


@dataclass(frozen=True)
class MetricLabels:
    """What exporters' queries make of columns: labels of other values, labels of other names."""

    values: Mapping[str, ValuePairs] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """A place of a file that is left as it is, and why; `line` is that of the file."""

    path: Path
    place: str
    line: int
    reason: str


@dataclass
class RewrittenArtifact:
    """An artifact after the rewriting: its text, its queries, what was refused."""

    artifact: Artifact
    text: str
    queries: list[tuple[FoundQuery, RewrittenSQL]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    edits: int = 0


def read_artifact(path: FilePath) -> Artifact | None:
    """The artifact that a file is; None for a file of no kind.

    Raises UnreadTree for a file that is not what its name says, OSError as it comes.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        return None
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadTree("is not valid UTF-8") from None
    tree = reader(text)
    for kind in list_kinds():
        if path.suffix.lower() in kind.suffixes:
            found = kind.read(tree)
            if found is not None:
                return Artifact(path, text, kind, tree, found)
    return None


def rewrite_artifact(
    artifact: Artifact, renames: RenameMap, labels: MetricLabels
) -> RewrittenArtifact:
    """Rewrite every place of an artifact; a query with a doubt stays as it is, and is told."""
    made = RewrittenArtifact(artifact, artifact.text)
    splices: list[Splice] = []
    for query in artifact.found.queries:
        result = rewrite_query(query, renames)
        made.queries.append((query, result))
        for doubt in result.doubts:
            made.refusals.append(_refusal(artifact, query.path, query.text, doubt))
        splices += _spliced(made, query.path, result.edits)
    splices += _follow(made, renames, labels)
    made.edits = len(splices)
    made.text = splice(artifact.text, splices)
    return made


def rewrite_query(query: FoundQuery, renames: RenameMap) -> RewrittenSQL:
    """Rewrite one query, or a part of one behind its frame."""
    text = query.frame + query.text
    if renames.words.search(text) is None:
        return RewrittenSQL(query.text)
    try:
        masked = mask_grafana(text) if query.dialect == "grafana" else Masked.plain(text)
    except UnexpandedText as error:
        doubt = Doubt(error.position - len(query.frame.encode()), str(error))
        return RewrittenSQL(query.text, doubts=(doubt,))
    result = rewrite_sql(masked, renames)
    if not query.frame:
        return result
    shift = len(query.frame.encode())
    edits = tuple(
        Edit(one.start - shift, one.end - shift, one.put)
        for one in result.edits
        if one.start >= shift
    )
    doubts = tuple(Doubt(max(0, one.position - shift), one.reason) for one in result.doubts)
    return RewrittenSQL(query.text, edits, doubts, result.variables)


def labels_of(rewritten: list[RewrittenArtifact]) -> MetricLabels:
    """What the queries of exporters among these artifacts make of the columns that changed."""
    values: dict[str, ValuePairs] = {}
    names: dict[str, str] = {}
    for one in rewritten:
        if one.artifact.kind.exports:
            for _, result in one.queries:
                values |= result.vocabularies
                names |= result.outputs
    return MetricLabels(values, names)


def _follow(made: RewrittenArtifact, renames: RenameMap, labels: MetricLabels) -> Iterator[Splice]:
    """The places that depend on what the queries became, or hold a bare name."""
    found = made.artifact.found
    variables: dict[str, ValuePairs] = {}
    for _, result in made.queries:
        variables |= result.variables
    for name in found.names:
        yield from _spliced(made, name.path, _named_in(made, name))
    for option in found.options:
        values = variables.get(option.variable)
        if values is not None:
            text = made.artifact.tree.spots[option.path].value
            yield from _spliced(made, option.path, chosen_values(text, values, option.listed))
    for one in found.relations:
        text = made.artifact.tree.spots[one.path].value
        yield from _spliced(made, one.path, bare_name(text, one.relation, one.column, renames))
    pairs = relation_pairs(renames)
    for path in found.expressions:
        text = made.artifact.tree.spots[path].value
        edits, doubts = rewrite_promql(text, pairs, labels.values, labels.names)
        if doubts:
            made.refusals += [_refusal(made.artifact, path, text, doubt) for doubt in doubts]
        else:
            yield from _spliced(made, path, edits)


def _named_in(made: RewrittenArtifact, name: FoundName) -> list[Edit]:
    """The edits of a place that names columns of the results in its scope."""
    outputs: dict[str, str] = {}
    for query, result in made.queries:
        if query.scope == name.scope:
            outputs |= result.outputs
    return result_names(made.artifact.tree.spots[name.path].value, outputs, name.templated)


def _spliced(
    made: RewrittenArtifact, path: Path, edits: list[Edit] | tuple[Edit, ...]
) -> list[Splice]:
    if not edits:
        return []
    try:
        return splices_of(made.artifact.tree.spots[path], edits)
    except UnreadSpot as error:
        made.refusals.append(_refusal(made.artifact, path, "", Doubt(0, str(error))))
        return []


def _refusal(artifact: Artifact, path: Path, text: str, doubt: Doubt) -> Refusal:
    spot = artifact.tree.spots.get(path)
    line = artifact.text.count("\n", 0, spot.start) + 1 if spot else 1
    inside = place_of(text, doubt)
    if not path:  # a file of SQL: the place in the text is that in the file
        line = int(inside.partition(":")[0])
    return Refusal(path, f"{spell_path(path)} at {inside}", line, doubt.reason)
