"""Samples to read: seeded random rows, field by field, what they must be beside what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.check.verify.rows import KEYS, Compared, shortened
from harness.document.verify import FieldDocument, RowSampleDocument


@dataclass(frozen=True)
class SampleField:
    """One field of a sample. `right` compares the whole values, shown or not."""

    name: str
    before: str | None
    after: str | None
    right: bool


@dataclass(frozen=True)
class Sample:
    """One row of the source and what became of it."""

    relation: str
    key: str
    fields: tuple[SampleField, ...]

    @property
    def right(self) -> bool:
        """Whether every field is as it must be."""
        return all(field.right for field in self.fields)

    def document(self) -> RowSampleDocument:
        """As the document of a verification has it."""
        return RowSampleDocument(
            relation=self.relation,
            key=self.key,
            fields=[FieldDocument(**vars(field)) for field in self.fields],
            right=self.right,
        )


def draw(compared: Sequence[Compared], seed: int, count: int) -> tuple[Sample, ...]:
    """`count` rows in all, spread over the relations in turns; the same seed draws the same."""
    pools = [
        (one, [row[0] for row in one.sides[0].ask(KEYS, str(seed), count)])
        for one in compared
        if one.sides is not None and one.rows.samples
    ]
    chosen: dict[int, list[str]] = {}
    drawn = 0
    for turn in range(count):
        for place, (_, keys) in enumerate(pools):
            if turn < len(keys) and drawn < count:
                chosen.setdefault(place, []).append(keys[turn])
                drawn += 1
    return tuple(
        sample
        for place, keys in sorted(chosen.items())
        for sample in _samples(pools[place][0], keys)
    )


def _samples(one: Compared, keys: list[str]) -> list[Sample]:
    assert one.sides is not None
    expected, found = one.sides[0].fields(keys), one.sides[1].fields(keys)
    return [Sample(one.rows.relation, key, _fields(expected[key], found.get(key))) for key in keys]


def _fields(
    expected: dict[str, str | None], found: dict[str, str | None] | None
) -> tuple[SampleField, ...]:
    if found is None:
        return (SampleField("(row)", "is there", "is missing", right=False),)
    return tuple(
        SampleField(name, shortened(value), shortened(found.get(name)), found.get(name) == value)
        for name, value in expected.items()
    )
