"""A first project file, suite and CI workflow for the tree that is there."""

from harness.subject.scaffold.write import Made, make_start

__all__ = ["Made", "make_start"]
