"""Many documents into one: shards put together again, and the cells of a matrix side by side."""

from harness.scenario.merge.run import merge_files

__all__ = ["merge_files"]
