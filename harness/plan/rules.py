"""What a plan asks of those who judge it, and of the verdict it wants to see before it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ValidateRules:
    """[validate]: when the source's rows are too bad to migrate. Times in seconds.

    `warning_percent` of a relation's rows with warnings and more is NO-GO. `severity` overrides
    what a check file says, by the check's id; `off` leaves the check out. With `before` the plan
    asks these checks of the database at hand before it starts there. `without` says of a part
    that the plan does not have why it has none. `tolerates` names objects around the plan's tables,
    as preflight does, and why they may be there.
    """

    warning_percent: float = 1.0
    keys: int = 20
    timeout: float = 300.0
    severity: dict[str, str] = field(default_factory=dict)
    before: bool = False
    without: dict[str, str] = field(default_factory=dict)
    tolerates: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class VerifyRules:
    """[verify]: how the migrated database is looked at. Times in seconds.

    With `after` the plan ends with these checks of the database at hand. `without` says of a part
    that the plan does not have why it has none.
    """

    samples: int = 100
    keys: int = 20
    timeout: float = 300.0
    severity: dict[str, str] = field(default_factory=dict)
    after: bool = False
    without: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DryRunRules:
    """[dry_run]: what the rehearsal may show. Times in seconds.

    `estimate_percent` is how far the estimate may be off; `max_lock` how long a step may hold a
    lock that stops users; `sample` the pause between two looks at the locks. A table of fewer than
    `small_rows` rows is read or written anew too fast for users to notice. `local` names
    functions of which the plan says that what they run stays in the database, where their text
    does not prove it.
    """

    estimate_percent: float = 50.0
    max_lock: float = 2.0
    sample: float = 0.01
    small_rows: int = 1000
    local: tuple[str, ...] = ()


@dataclass(frozen=True)
class MaintenanceRules:
    """[maintenance]: the application read-only while the plan runs. Times in seconds.

    No lease is longer than `max_lease`; `lease` is the length of one that is renewed. Transactions
    that wrote before are waited for as long as `wait`; then `action` is done to them, or refuse:
    maintenance is not turned on. `roles` are the application's, in place of the project file's.
    """

    max_lease: float = 4 * 3600.0
    lease: float = 15.0
    wait: float = 30.0
    action: str = "refuse"
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class BackupRules:
    """[backup]: with `required` no run starts without one, or a reason. Times in seconds.

    A backup is younger than `max_age`, None: however old; it is of the database as it is.
    """

    required: bool = False
    max_age: float | None = None


@dataclass(frozen=True)
class DrainRules:
    """[drain]: how the application's sessions are ended once it is read-only. Times in seconds.

    Those at work are waited for as long as `wait`, then cancelled; after `cancel` every session
    that is left is terminated, and is gone within `terminate`. The databases of PgBouncer that
    `pgbouncer` names are paused meanwhile, each within `pause`.
    """

    wait: float = 10.0
    cancel: float = 5.0
    terminate: float = 15.0
    pgbouncer: tuple[str, ...] = ()
    pause: float = 10.0


@dataclass(frozen=True)
class RequireVerdict:
    """[require_verdict]: the verdict without which the plan does not start, and its age."""

    file: Path
    max_age_hours: float | None = None
