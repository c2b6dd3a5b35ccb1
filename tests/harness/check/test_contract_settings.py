"""Who asks a contract: by its header, by contract.toml, by the project file, or who connects."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.check import contract
from harness.check.contract import file as contract_file
from harness.check.contract.providers import PROVIDERS
from harness.check.contract.session import CONNECTED, Provider
from harness.core.errors import UsageError

READ = '-- about: all\nselect id from "Weird Schema".t order by id\n'


def contract_of(root: Path, **files: str) -> Path:
    """A contract with one read, and these files, in a project of their own."""
    (root / ".git").mkdir()
    (root / "contract/read").mkdir(parents=True)
    (root / "contract/read/all.sql").write_text(READ, encoding="utf-8")
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_toml", ".toml")
        path.write_text(text, encoding="utf-8")
    return root / "contract"


PROJECT = "[subject]\nkind = 'command'\nup = 'true'\n[roles]\napplication = 'app'\n"


@pytest.mark.parametrize(
    ("files", "roles"),
    [
        ({}, (CONNECTED,)),
        ({"contract__contract_toml": 'roles = ["one", "two"]'}, ("one", "two")),
        ({"harness_toml": PROJECT}, ("app",)),
        ({"harness_toml": PROJECT, "contract__contract_toml": 'roles = ["one"]'}, ("one",)),
    ],
)
def test_the_nearest_word_says_who_asks(
    tmp_path: Path, files: dict[str, str], roles: tuple[str, ...]
) -> None:
    (query,) = contract_file.load(contract_of(tmp_path, **files), "read")
    assert query.roles == roles


def test_claims_name_the_role_that_asks(tmp_path: Path) -> None:
    claims = "[claims]\n\"app.who\" = 'it is {role}'\n"
    (query,) = contract_file.load(contract_of(tmp_path, contract__contract_toml=claims), "read")
    assert query.actor("one").claims == {"app.who": "it is one"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("roles = 'one'", "contract.toml:1: roles is not a list"),
        ("\nclaims = []", "contract.toml:2: claims is not a table"),
        ("role = ['x']", "unknown key 'role'"),
        ("[api]\nroles = ['x']", "contract.toml:1: api is not a table with schema"),
        ("[api]\nschema = 's'\nshema = 'x'", "contract.toml:1: api is not a table with schema"),
        ("[api]\nschema = 's'\n[api.declared]\na = 1", "declared, a table of texts"),
        ("roles = [", "contract.toml:1: is not valid TOML"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    directory = contract_of(tmp_path, contract__contract_toml=text)
    with pytest.raises(UsageError) as refused:
        contract_file.load(directory, "read")
    assert says in str(refused.value)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_a_contract_of_another_schema_without_roles_sees_a_lost_row(
    tmp_path: Path, harness_empty_database: str, provider: Provider
) -> None:
    from harness.database import admin

    with admin.connection(harness_empty_database) as conn:
        conn.execute('create schema "Weird Schema"')
        conn.execute('create table "Weird Schema".t (id int primary key)')
        conn.execute('insert into "Weird Schema".t values (1), (2)')
    queries = contract_file.load(contract_of(tmp_path), "read")
    recording = contract.record(harness_empty_database, queries, provider)
    assert contract.replay(harness_empty_database, recording, provider) == []
    with admin.connection(harness_empty_database) as conn:
        conn.execute('delete from "Weird Schema".t where id = 2')
    assert contract.replay(harness_empty_database, recording, provider)
