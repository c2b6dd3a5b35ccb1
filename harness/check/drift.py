"""How a database differs from the source that was judged, object by object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.database.fingerprint import Difference, Fingerprint, compare
from harness.database.fingerprint.model import Objects, digest_of_objects
from harness.database.source import Source

WORDS = {"present": "is missing", "absent": "was not there when it was judged"}


def differences(judged: Source, here: Source) -> list[str]:
    """What is another than when it was judged; empty when the verdict speaks of this database."""
    if judged.postgres != here.postgres:  # their catalogs are told in other words
        return [f"the server is Postgres {here.postgres}, judged was Postgres {judged.postgres}"]
    return [_said(difference) for difference in _objects(judged, here)]


def _objects(judged: Source, here: Source) -> Iterable[Difference]:
    wanted, there = _fingerprint(judged), _fingerprint(_without_more_extensions(judged, here))
    return compare(wanted, there)


def _without_more_extensions(judged: Source, here: Source) -> Source:
    """An extension more (monitoring, say) is no drift; one less, or another version, is."""
    more = {
        name
        for name in here.objects["catalog"]
        if name.startswith("extension ") and name not in judged.objects["catalog"]
    }
    gone = more | {f"comment on {name}" for name in more}
    if more:  # languages of extensions are listed with their rights alone
        gone |= {
            name
            for name in here.objects["security"]
            if name.startswith("language ") and name not in here.objects["catalog"]
        } - judged.objects["security"].keys()
    kept: dict[str, Mapping[str, str]] = {
        part: {name: text for name, text in listing.items() if name not in gone}
        for part, listing in here.objects.items()
    }
    return replace(here, objects=kept)


def _fingerprint(source: Source) -> Fingerprint:
    objects: dict[str, Objects] = {part: _even(found) for part, found in source.objects.items()}
    digests = {part: digest_of_objects(found) for part, found in objects.items()}
    return Fingerprint(
        catalog=digests["catalog"],
        security=digests["security"],
        data="",
        sequences="",
        relations={},
        objects=objects,
        sequence_values={},
    )


def _even(listing: Objects) -> dict[str, str]:
    """Attributes in one order, however the text was written."""
    return {name: json.dumps(json.loads(text), sort_keys=True) for name, text in listing.items()}


def _said(difference: Difference) -> str:
    if difference.attribute == "presence" and difference.before in WORDS:
        return f"{difference.object} {WORDS[difference.before]}"
    return str(difference).partition(": ")[2]
