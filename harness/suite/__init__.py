"""Release suites for any subject: test modules that a project runs as they are, or builds upon.

    # tests/migration/test_rollback.py
    from harness.suite.rollback import *

Each module holds tests; the hooks that a project must, may and must not redefine are listed in
docs/suite.md. The gate runs a shipped suite as it is where a project has no file of its name.
"""
