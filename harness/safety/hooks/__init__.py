"""Tell who keeps the schema in mind that it changed: NOTIFY, an HTTP call, a command, Redis."""

from harness.safety.hooks.deliver import DeliveryFailed, deliver

__all__ = ["DeliveryFailed", "deliver"]
