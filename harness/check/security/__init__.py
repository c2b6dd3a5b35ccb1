"""Who may see and do what, tried for real, before and after."""

from harness.check.security.run import Security, document, judge, policy_of

__all__ = ["Security", "document", "judge", "policy_of"]
