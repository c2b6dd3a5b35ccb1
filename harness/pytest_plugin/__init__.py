"""The pytest edge: one real server for the whole session, sealed templates, a cheap clone a test.

Every session of an environment loads this package, so its modules import what they need only when
a test asks for it: a session that uses no fixture and no option of ours is left as it would be.
"""

import pytest

pytest_plugins = [
    "harness.pytest_plugin.options",
    "harness.pytest_plugin.markers",
    "harness.pytest_plugin.shared",
    "harness.pytest_plugin.alone",
    "harness.pytest_plugin.header",
    "harness.pytest_plugin.kept",
    "harness.pytest_plugin.redaction",
    "harness.pytest_plugin.server_fixtures",
    "harness.pytest_plugin.subject_fixtures",
    "harness.suite.fixtures",
]
pytest.register_assert_rewrite("harness.suite")
