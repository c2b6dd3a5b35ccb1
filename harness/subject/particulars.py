"""What only the project knows of its subject: the Python object that `subject.object` names.

A project writes it in a module of its own, and keeps there what no catalog tells:

    shop = Particulars(seeder=make_orders, made_of=("shop/rows",))
"""

from __future__ import annotations

import importlib
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import UsageError
from harness.subject.project import Project
from harness.subject.project_search import shown
from harness.subject.protocol import Seeder
from harness.subject.webhook_source import WebhookSource
from harness.subject.workflow import Workflow
from harness.traffic.mix import TrafficMix


@dataclass(frozen=True, kw_only=True)
class Particulars:
    """All of it optional; paths are taken from the root of the project.

    `seeder` makes the rows, a function of a module; `made_of` are the files and directories that
    it is made of, which a verdict hashes. `contract` is a directory of queries that old clients
    send, `benchmarks` one of queries whose cost before and after is compared, `judge` the checks
    that mutants are shown to, as module:function. `traffic` is what its clients do while a
    migration runs, `workflows` what users must get through at any time. `artifacts` are files and
    directories that name the schema from outside, such as dashboards, `overlay` is a directory of
    SQL files with what stands in the database beside the schema, and that `harness impact` judges:
    webhook triggers, publications, jobs, functions and views of one's own. `webhooks` is what tells
    others of its changes through the outbox.
    """

    seeder: Seeder | None = None
    made_of: tuple[str, ...] = ()
    contract: str | None = None
    benchmarks: str | None = None
    judge: str | None = None
    traffic: TrafficMix | None = None
    workflows: tuple[Workflow, ...] = ()
    artifacts: tuple[str, ...] = ()
    overlay: str | None = None
    webhooks: WebhookSource | None = None


def load_particulars(project: Project) -> Particulars:
    """The object that the project file names; empty where it names none.

    Raises UsageError with file and line where it cannot be loaded, or is something else.
    """
    if project.object is None:
        return Particulars()
    return _load(project)


def importing_root(project: Project) -> Path:
    """Put the root of the project where its modules are imported from, and give it."""
    root = str(project.root)
    if root not in sys.path:
        sys.path.insert(0, root)
    return project.root


def _load(project: Project) -> Particulars:
    name = str(project.object)
    where = project.where("subject", "object")
    module, _, attribute = name.partition(":")
    root = importing_root(project)
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            hint = f"it is imported from {shown(root)}"
            raise UsageError(f"there is no module {module!r}", where=where, hint=hint) from None
        raise _broken(error, module, where) from error
    except AttributeError as error:
        if module in sys.modules and not hasattr(sys.modules[module], attribute):
            text = f"module {module!r} has no {attribute!r}"
            raise UsageError(text, where=where) from None
        raise _broken(error, module, where) from error
    except (Exception, SystemExit) as error:
        raise _broken(error, module, where) from error
    if not isinstance(found, Particulars):
        text = f"{name} is a {type(found).__name__}, not a harness.subject.particulars.Particulars"
        raise UsageError(text, where=where)
    for path in (
        *found.made_of,
        *found.artifacts,
        *filter(None, (found.contract, found.benchmarks, found.overlay)),
    ):
        if not (root / path).exists():
            raise UsageError(f"{name} names {path!r}, which is not in {shown(root)}", where=where)
    return found


def _broken(error: BaseException, module: str, where: str) -> UsageError:
    """What importing the module came to, and the line of the project's that it came from."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{shown(Path(frame.filename))}:{frame.lineno}"
    text = " ".join(str(error).split()) or "without a word"
    return UsageError(
        f"module {module!r} cannot be imported: {type(error).__name__}: {text} ({place})",
        where=where,
    )
