"""Files that hold both ways: parted by marker lines, each part with the line on which it begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MarkedSection:
    """What stands behind a marker: the rest of the marker's line, the text, its first line."""

    options: str
    text: str
    line: int


def part(text: str, marker: re.Pattern[str]) -> Mapping[str, MarkedSection]:
    """The sections of a text by the lower-case word that the marker's group `way` captures.

    A marker is looked for at the beginning of a line. Markers of one word join: the later text
    follows the earlier one, on its own lines.
    """
    found: dict[str, MarkedSection] = {}
    places = list(marker.finditer(text))
    for index, place in enumerate(places):
        end = places[index + 1].start() if index + 1 < len(places) else len(text)
        way = place["way"].lower()
        line = text.count("\n", 0, place.end()) + 1
        section = MarkedSection(place["options"] or "", text[place.end() : end], line)
        earlier = found.get(way)
        if earlier is not None:
            gap = "\n" * (line - earlier.line - earlier.text.count("\n"))
            section = MarkedSection(
                earlier.options, earlier.text + gap + section.text, earlier.line
            )
        found[way] = section
    return found
