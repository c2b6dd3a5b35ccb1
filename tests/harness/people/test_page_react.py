"""The React component is typed strictly, and renders what the feed says; npm is asked at night."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.people.page.feed import feed_documents
from harness.people.page.render import HOME
from harness.people.page.state import page_state
from tests.harness.support.page import START, in_state
from tests.harness.support.thorough import EXHAUSTIVE

PACKAGES = ("typescript@5", "react@18", "react-dom@18", "@types/react@18", "@types/react-dom@18")
STRICT = (
    "--strict", "--noUnusedLocals", "--jsx", "react-jsx", "--target", "ES2022",
    "--lib", "ES2022,DOM", "--module", "commonjs", "--moduleResolution", "node", "--outDir", "out",
)  # fmt: skip
RENDER = """
const { createElement } = require("react");
const { renderToStaticMarkup } = require("react-dom/server");
const { NoticeList, noticesOf } = require("./out/MigrationBanner.js");
const notices = noticesOf(JSON.parse(process.argv[1]));
console.log(renderToStaticMarkup(createElement(NoticeList, { notices, onDismiss() {} })));
"""


def run(directory: Path, *command: str, status: int = 0) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not EXHAUSTIVE, reason="an exhaustive run; where npm is missing it fails")
def test_the_component_is_typed_and_renders_each_notice_with_a_button(tmp_path: Path) -> None:
    run(tmp_path, "npm", "install", "--no-audit", "--no-fund", *PACKAGES)
    source = tmp_path / "MigrationBanner.tsx"
    shutil.copy(HOME / "static" / source.name, source)
    tsc = ("node", "node_modules/typescript/bin/tsc", *STRICT, source.name)
    run(tmp_path, *tsc)
    for name, titles in (
        ("late", ["Maintenance takes longer than planned"]),
        ("done", ["Accounts are called customers", "Search finds notes"]),
    ):
        state = page_state(*in_state("late" if name == "late" else "done"))
        migration = feed_documents(state, START)["summary.json"]["migration"]
        text = run(tmp_path, "node", "-e", RENDER, json.dumps(migration))
        assert text.count("<button ") == len(titles)
        assert all(f'aria-label="Dismiss: {title}"' in text for title in titles)
    source.write_text(source.read_text().replace("one.title}", "one.titel}", 1))
    run(tmp_path, *tsc, status=2)  # a name that the feed does not have is found
