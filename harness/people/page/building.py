"""Write the page as files, for any host that serves files."""

from __future__ import annotations

from pathlib import Path

from harness.core.errors import UsageError
from harness.core.jsonfile import write_whole
from harness.people.page.publication import Publication


def write_publication(directory: Path, publication: Publication) -> list[str]:
    """Write each file whole, the page last; what was written, by its path below the directory.

    UsageError where one cannot be written: a reader then still has the page before.
    """
    names = sorted(publication.files, key=lambda name: (name == "index.html", name))
    for name in names:
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, publication.files[name].body.decode())
        except OSError as error:
            said = f"cannot be written: {error.strerror}"
            raise UsageError(said, where=str(path), hint="name a directory with --to") from error
    return names
