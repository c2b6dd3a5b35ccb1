"""What old clients do, recorded and replayed."""

from harness.check.contract.run import reads, record, replay

__all__ = ["reads", "record", "replay"]
