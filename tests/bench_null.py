"""`make bench-null`: HEAD compared with itself, again and again, while a core is loaded in waves.

Exit 1 when any comparison says slower, or refuses to compare.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from multiprocessing import Process

NAMES = ("clone", "fingerprint")
WAVE = 7.0
"""Seconds of load, and as many of rest: no multiple of a pair, a block or a round."""


def load_in_waves() -> None:
    """Take a core for a wave, leave it for one, and so on."""
    while True:
        end = time.monotonic() + WAVE
        while time.monotonic() < end:
            sum(range(1000))
        time.sleep(WAVE)


def compare_with_itself(rows: str) -> tuple[int, dict[str, str]]:
    """The exit status and what is said of each benchmark."""
    only = [word for name in NAMES for word in ("--only", name)]
    command = [sys.executable, "-m", "harness", "bench", "compare", "HEAD", "HEAD"]
    done = subprocess.run(
        [*command, "--rows", rows, "--json", *only], stdout=subprocess.PIPE, text=True, check=False
    )
    document = json.loads(done.stdout)
    said = {one["name"]: one["verdict"] for one in document.get("benchmarks", [])}
    return done.returncode, said


def main() -> int:
    """Compare, and count what was said."""
    count, rows = int(sys.argv[1]), sys.argv[2]
    load = Process(target=load_in_waves, daemon=True)
    load.start()
    found: Counter[str] = Counter()
    alarms = 0
    for number in range(1, count + 1):
        status, said = compare_with_itself(rows)
        alarms += status != 0 or set(said) != set(NAMES) or "slower" in said.values()
        found.update(said.values())
        sys.stdout.write(f"{number} of {count}: exit {status}, {said}\n")
        sys.stdout.flush()
    load.kill()
    sys.stdout.write(f"{alarms} alarms; {dict(found)}\n")
    return int(bool(alarms))


if __name__ == "__main__":
    sys.exit(main())
