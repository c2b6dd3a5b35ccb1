"""Release suites for any subject: test modules that a project runs as they are, or builds upon.

    # test_rollback.py
    from harness.suite.rollback import *

Each module holds tests; the documentation of the suites lists the hooks that a project must, may
and must not redefine. The gate runs a shipped suite as it is where a project has no file of its
name.
"""
