"""Every client of a contract: psycopg, SQLAlchemy, and PostgREST by the SQL that it sends."""

from __future__ import annotations

from typing import Final

from harness.check.contract.postgrest.provider import Postgrest
from harness.check.contract.session import Provider, Psycopg, Sqlalchemy

PROVIDERS: Final[tuple[Provider, ...]] = (Psycopg(), Sqlalchemy(), Postgrest())
