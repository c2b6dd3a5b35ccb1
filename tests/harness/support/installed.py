"""The harness as somebody else has it: built as a wheel, installed in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
NAME = "migration-harness"
STEPS = {
    "plan.toml": (
        'format = 1\nname = "shop"\nversion = "1"\n\n'
        '[[phase]]\nid = "1.1"\nname = "notes"\ntitle = "Notes"\n'
    ),
    "baseline/010_tables.sql": (
        "CREATE TABLE public.customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE);\n"
        "CREATE TABLE public.orders (id bigint PRIMARY KEY,\n"
        "    customer_id bigint NOT NULL REFERENCES public.customers (id),\n"
        "    total numeric(10, 2) NOT NULL CHECK (total >= 0));\n"
    ),
    "phases/1.1_notes/010_column.forward.sql": "ALTER TABLE public.orders ADD COLUMN note text;\n",
    "phases/1.1_notes/010_column.rollback.sql": "ALTER TABLE public.orders DROP COLUMN note;\n",
    "phases/1.1_notes/020_index.forward.sql": (
        "-- kind: concurrent\nCREATE INDEX CONCURRENTLY orders_total ON public.orders (total);\n"
    ),
    "phases/1.1_notes/020_index.rollback.sql": (
        "-- kind: concurrent\nDROP INDEX CONCURRENTLY public.orders_total;\n"
    ),
}


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel and what its base install brings, nothing of the checkout."""

    home: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.home / "bin" / "python"

    def harness(
        self, *arguments: str, cwd: Path, dsn: str | None = None, tools: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run its command line, as from a shell that knows nothing of this checkout.

        `tools` is a directory of programs that the shell finds besides.
        """
        kept = {"HOME", "LANG", "TMPDIR", "HARNESS_DATA"} & set(os.environ)
        environment = {name: os.environ[name] for name in kept}
        found = (self.home / "bin", tools, "/usr/bin", "/bin")
        environment["PATH"] = os.pathsep.join(str(each) for each in found if each is not None)
        if dsn is not None:
            environment["HARNESS_DSN"] = dsn
        return subprocess.run(
            [str(self.home / "bin" / "harness"), *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def build_wheel(into: Path) -> Path:
    """Build the wheel of this checkout."""
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, into, ROOT], check=True)
    (wheel,) = into.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, home: Path, *extras: str) -> Installed:
    """Install it beside links to the distributions that it asks for, with these extras."""
    venv.create(home, with_pip=False, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", home / "bin" / "python")
    options = ("--quiet", "--no-deps", "--no-index", "--no-compile")
    subprocess.run([*pip, "install", *options, wheel], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    for entry in _entries(extras):
        link = site / entry.name
        if not link.exists():
            link.symlink_to(entry)
    return Installed(home)


def _entries(extras: tuple[str, ...]) -> set[Path]:
    """What the distributions that the wheel asks for have at the top of site-packages."""
    found: set[Path] = set()
    for name in _asked_for(NAME, extras, set()) - {NAME}:
        have = distribution(name)
        tops = {path.parts[0] for path in have.files or () if path.parts[0] not in ("..", "/")}
        found |= {Path(str(have.locate_file(top))) for top in tops if top != "__pycache__"}
    return found


def _asked_for(name: str, extras: tuple[str, ...], seen: set[str]) -> set[str]:
    """A distribution and whatever it requires here, by name."""
    if name in seen:
        return seen
    seen.add(name)
    for requirement in _requirements(name, extras):
        _asked_for(requirement.name.lower().replace("_", "-"), tuple(requirement.extras), seen)
    return seen


def _requirements(name: str, extras: tuple[str, ...]) -> Iterator[Requirement]:
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": one}) for one in ("", *extras)):
            yield requirement


def write_shop(installed: Installed, root: Path) -> None:
    """What somebody makes of an empty directory: `harness init`, then a plan of two steps."""
    (root / ".git").mkdir()
    assert installed.harness("init", cwd=root).returncode == 0
    for name, text in STEPS.items():
        path = root / "sql" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
