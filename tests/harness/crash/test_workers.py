"""The processes of an exploration end with it, even when it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from harness.core.poll import wait_until
from tests.harness.support.ended import has_ended

ROOT = Path(__file__).parents[3]
EXPLORATION = """
import os, signal
from harness.crash.workers import pool

with pool(1) as processes:
    print(processes.submit(os.getpid).result(), flush=True)
    signal.pause()
"""


def test_an_idle_worker_of_a_killed_exploration_ends_with_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", EXPLORATION], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        worker = psutil.Process(int(running.stdout.readline()))
        running.kill()
        assert running.wait() == -signal.SIGKILL
    wait_until(lambda: has_ended(worker), 60, "the end of the worker")
