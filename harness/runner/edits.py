"""What changed in a plan's files since a run began, and whether the run may go on with it.

A file of a step that committed anything may not change: the database holds what the old one did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from psycopg import sql

from harness.core.errors import Refused
from harness.plan import Plan
from harness.runner import ledger_statements as statements
from harness.runner.connection import Connection
from harness.runner.index import wanted
from harness.runner.ledger import Checkpoint, Ledger, LedgerRun

SHOWN = 5
ACCEPTED = "edit_accepted"


@dataclass(frozen=True)
class FileEdit:
    """A file that is not as the run recorded it; `what` is edited, removed or added.

    `step` is None for plan.toml. `kept` is why the file must stay as it was, None when it may go.
    """

    what: str
    file: str
    step: str | None
    kept: str | None = None


@dataclass(frozen=True)
class Acceptance:
    """Edits that a run goes on with, and the reason that was given."""

    edits: tuple[FileEdit, ...] = ()
    reason: str = ""

    def document(self) -> list[dict[str, str | None]]:
        """As an outcome tells it."""
        found = [asdict(edit) | {"reason": self.reason} for edit in self.edits]
        return [{key: value for key, value in one.items() if key != "kept"} for one in found]

    def rows(
        self, plan: Plan, recorded: Sequence[LedgerRun], run_id: int, epoch: int
    ) -> list[sql.Composed]:
        """What to write into the ledger: new hashes for the runs that recorded the files, and an
        event of the run at work for each.
        """
        if not self.edits:
            return []
        hashes = plan.files
        written = [statements.plan_hash_sql(run.id, plan.hash) for run in recorded]
        for edit in self.edits:
            said = f"{edit.what} {edit.file}: {self.reason}"
            written.append(statements.event_sql(run_id, epoch, ACCEPTED, edit.step, said))
            now = hashes.get(edit.file)
            written += [statements.file_sql(run.id, edit.file, now) for run in recorded]
        return written


@dataclass(frozen=True)
class EditContext:
    """What decides about an edit: the plan, the run that recorded its files, the run at work."""

    conn: Connection
    plan: Plan
    known: Ledger
    forward: LedgerRun
    back: LedgerRun | None = None
    goes_back: bool = False

    @property
    def begun(self) -> dict[str, Checkpoint]:
        """The steps that the forward run has begun."""
        return self.known.checkpoints(self.forward)


def refuse_another_plan(plan: Plan, run: LedgerRun) -> None:
    """Refuse a plan that is not the run's, by its name."""
    if run.plan != plan.name:
        raise Refused(
            f"the database was migrated by plan {run.plan!r}, not {plan.name!r}",
            where=str(plan.path),
            hint="name the plan that it was begun with",
        )


def changed(plan: Plan, recorded: dict[str, str]) -> list[FileEdit]:
    """Every file that differs from what was recorded."""
    present = plan.files
    found = []
    for what, paths in (
        (
            "edited",
            [path for path in recorded if present.get(path, "") not in ("", recorded[path])],
        ),
        ("removed", set(recorded) - set(present)),
        ("added", set(present) - set(recorded)),
    ):
        found += [FileEdit(what, path, _step_of(path)) for path in sorted(paths)]
    return found


def _step_of(path: str) -> str | None:
    """The id of the step that a file below phases/ belongs to."""
    parts = path.split("/")
    if len(parts) != 3:
        return None
    return f"{parts[1].split('_', 1)[0]}/{parts[2].split('.', 1)[0]}"


def judged(look: EditContext) -> list[FileEdit]:
    """Every changed file, with why it must stay as it was."""
    recorded = look.known.files.get(look.forward.id, {})
    return [
        FileEdit(edit.what, edit.file, edit.step, _kept(look, edit))
        for edit in changed(look.plan, recorded)
    ]


def settle(look: EditContext, reason: str | None) -> Acceptance:
    """What the run goes on with; Refused, by name, when a file changed that must not."""
    run = look.forward
    refuse_another_plan(look.plan, run)
    edits = judged(look)
    if not edits:
        return Acceptance(reason=reason or "")
    kept = [edit for edit in edits if edit.kept]
    if reason is None or kept:
        raise Refused(
            f"the plan changed since run {run.id} began: {listed(edits)}",
            where=str(look.plan.root / (kept or edits)[0].file),
            hint=_hint(look, edits, kept),
        )
    return Acceptance(tuple(edits), reason)


def listed(edits: Sequence[FileEdit]) -> str:
    """The changed files in words: edited a, b; removed c."""
    said = []
    for what in ("edited", "removed", "added"):
        paths = [edit.file for edit in edits if edit.what == what]
        if paths:
            more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
            said.append(f"{what} {', '.join(paths[:SHOWN])}{more}")
    return "; ".join(said)


def _hint(look: EditContext, edits: Sequence[FileEdit], kept: Sequence[FileEdit]) -> str:
    verb = "rollback" if look.goes_back else "migrate"
    if not kept:
        steps = ", ".join(dict.fromkeys(edit.step or edit.file for edit in edits))
        return (
            f"{steps} committed nothing yet, so `harness {verb} --accept-edit REASON` goes on with"
            " the files as they are; or put them back as they were"
        )
    first = kept[0]
    must = "be taken away again" if first.what == "added" else "be put back as it was"
    return f"{first.file} must {must}: {first.kept}"


def _kept(look: EditContext, edit: FileEdit) -> str | None:
    """Why a file must stay as it was, or None."""
    if edit.step is None:
        begun = next(iter(look.begun), None)
        return begun and f"every step depends on it, and {begun} was begun"
    row = look.begun.get(edit.step)
    if edit.file.endswith(".rollback.sql"):
        return _kept_back(look, edit, row)
    if row is not None:
        return _kept_forward(look, edit, row)
    return _kept_place(look, edit)


def _kept_back(look: EditContext, edit: FileEdit, row: Checkpoint | None) -> str | None:
    undone = look.known.checkpoints(look.back).get(edit.step or "")
    if undone is not None:
        return f"the way back of {edit.step} {_came(undone)}"
    if row is None or (look.goes_back and edit.what == "edited"):
        return _kept_place(look, edit)
    if edit.what != "edited":
        return f"step {edit.step} {_came(row)}"
    if row.state == "done" or row.all_batches:
        later = "`harness rollback --accept-edit REASON` accepts an edited rollback file"
        return f"step {edit.step} {_came(row)}; {later}"
    return None


def _kept_forward(look: EditContext, edit: FileEdit, row: Checkpoint) -> str | None:
    if row.state != "intent" or edit.what != "edited":
        return f"step {edit.step} {_came(row)}"
    if row.object is None:
        return f"step {edit.step} was begun by an older harness, which did not record its index"
    verb, name = row.object.split(" ", 1)
    there = look.conn.execute("SELECT pg_catalog.to_regclass(%s)", [name]).fetchone() != (None,)
    if verb == "drop" and not there:
        return f"step {edit.step} has dropped index {name}"
    if not there or _is_about(look.plan, edit.step or "", row.object):
        return None
    if verb == "drop":
        return f"index {name}, which step {edit.step} began to drop, may be invalid"
    return (
        f"index {name}, which step {edit.step} began to build, is there:"
        f" DROP INDEX CONCURRENTLY {name}, or do that"
    )


def _is_about(plan: Plan, step: str, named: str) -> bool:
    """Whether the step as it is now does the same to the same index: on resume it looks itself."""
    script = plan.step(step).forward
    return script.kind == "concurrent" and wanted(script.statements[0]).named == named


def _kept_place(look: EditContext, edit: FileEdit) -> str | None:
    """A step that is added must not come before one that was begun: it would run too late."""
    if edit.what != "added" or look.goes_back:
        return None
    if look.forward.completed:
        return f"run {look.forward.id} is completed, and does nothing more"
    order = [step.id for step in look.plan.steps]
    later = [step for step in order[order.index(edit.step or "") :] if step in look.begun]
    return f"step {edit.step} would come before {later[0]}, which was begun" if later else None


def _came(row: Checkpoint) -> str:
    if row.state == "running":
        return f"has committed {row.all_batches} batches"
    return "is committed" if row.state == "done" else "was begun"
