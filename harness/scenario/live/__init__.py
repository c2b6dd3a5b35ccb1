"""The migration and the way back under traffic, with kills, on a server of its own."""

from harness.scenario.live.confirmed import run_confirmed
from harness.scenario.live.run import run_live
from harness.scenario.live.settings import LiveSettings

__all__ = ["LiveSettings", "run_confirmed", "run_live"]
