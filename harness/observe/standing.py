"""Where work stands, in words for a log and in a line that fits a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.quantity import size, time_left
from harness.observe.pace import MeanRate

WIDEST_BAR = 20
LEAST_BAR = 8
NARROW = 60  # columns below which words become figures


@dataclass(frozen=True)
class ProgressStanding:
    """What is done (`label`, its `stage`, `what` in it), and how much of it.

    `steps` are those of a plan, done and all; they are counted beside the rows of one step.
    """

    label: str
    stage: str = ""
    what: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    steps: tuple[int, int] | None = None

    @property
    def bounded(self) -> bool:
        """Whether the total can be true."""
        return self.total > 0 and self.done <= self.total

    @property
    def fraction(self) -> float:
        """How much of all is done, from 0 to 1."""
        part = self.done / self.total if self.bounded else 0.0
        if self.steps is None:
            return part
        done, total = self.steps
        return min(1.0, (done + part) / max(total, 1))


def line(at: ProgressStanding, pace: MeanRate) -> str:
    """For a log: counts, rate, what is left, and what is being done."""
    parts = [at.stage] if at.stage else []
    if at.steps is not None:
        parts.append("{:,} of {:,} steps".format(*at.steps))
    if not at.unit:
        parts.append(time_left(pace.seconds))
        return f"{at.label}: {', '.join(parts)}{f' in {at.what}' if at.what else ''}"
    parts.append(_count(at))
    rate, left = pace.rate(), pace.left()
    parts.append("measuring" if rate is None else f"{_amount(rate, at.unit)}/s")
    if left is not None:
        parts.append(f"about {time_left(left)} left{' without the pause' if pace.held else ''}")
    return f"{at.label}: {', '.join(parts)}{f' in {at.what}' if at.what else ''}"


def drawn(at: ProgressStanding, pace: MeanRate, width: int) -> str:
    """For a terminal: a bar and figures; the name of what is done stands last and is cut."""
    narrow = width < NARROW
    figures = _short(at, pace) if narrow else _long(at, pace)
    head = "" if narrow else f"{at.label} "
    free = width - len(head) - len(figures) - 3
    widest = WIDEST_BAR // 2 if narrow else WIDEST_BAR
    room = min(widest, free, max(LEAST_BAR, free - len(at.what)))  # the name needs room, too
    text = head
    if room >= 4:
        filled = min(room, int(room * at.fraction))
        text += f"{'━' * filled}{'─' * (room - filled)} "
    text += f"{figures} {at.what}"
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _short(at: ProgressStanding, pace: MeanRate) -> str:
    parts = ["{}/{}".format(*at.steps)] if at.steps is not None else []
    if at.bounded:
        parts.append(f"{at.done * 100 // at.total}%")
    elif at.done:
        parts.append(_amount(at.done, at.unit))
    left = pace.left()
    parts.append(time_left(pace.seconds) if left is None else f"~{time_left(left)}")
    return " ".join(parts)


def _long(at: ProgressStanding, pace: MeanRate) -> str:
    parts = [at.stage] if at.stage else []
    if at.steps is not None:
        parts.append("{}/{} steps".format(*at.steps))
    if at.unit:
        parts.append(_count(at))
    left = pace.left()
    parts.append(time_left(pace.seconds) if left is None else f"~{time_left(left)} left")
    return " ".join(parts)


def _count(at: ProgressStanding) -> str:
    if not at.bounded:
        return _amount(at.done, at.unit)
    estimated = at.unit == "bytes" or at.steps is not None
    about = "about " if estimated else ""
    if at.unit == "bytes":
        return f"{_amount(at.done, at.unit)} of {about}{_amount(at.total, at.unit)}"
    return f"{at.done:,} of {about}{at.total:,} {at.unit}"


def _amount(number: float, unit: str) -> str:
    if unit == "bytes":
        return size(number)
    return f"{number:,.{0 if number >= 10 or number == int(number) else 1}f} {unit}"
