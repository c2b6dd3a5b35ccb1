"""The OpenAPI document of an API, in the shape and version that PostgREST writes: 2.0.

PostgREST has no other: what reads its description (Swagger UI, generators of client types) reads
2.0, and a document in 3.x would be one that no client ever sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from harness.artifact.openapi.catalog import ApiColumn, ApiFunction, ApiRelation, ApiSchema

TYPES: Final[Mapping[str, str | None]] = {
    "character varying": "string",
    "character": "string",
    "text": "string",
    "boolean": "boolean",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "number",
    "real": "number",
    "double precision": "number",
    "json": None,
    "jsonb": None,
}
FORMATS: Final = {"smallint": "int32", "integer": "int32", "bigint": "int64"}
MIMES: Final = (
    "application/json",
    "application/vnd.pgrst.object+json;nulls=stripped",
    "application/vnd.pgrst.object+json",
    "text/csv",
)
_QUERY: Final = {
    "select": "Filtering Columns",
    "on_conflict": "On Conflict",
    "order": "Ordering",
    "offset": "Limiting and Pagination",
    "limit": "Limiting and Pagination",
}
_PREFER: Final = {
    "preferParams": ["params=single-object"],
    "preferReturn": ["return=representation", "return=minimal", "return=none"],
    "preferCount": ["count=none"],
    "preferPost": [
        "return=representation",
        "return=minimal",
        "return=none",
        "resolution=ignore-duplicates",
        "resolution=merge-duplicates",
    ],
}
_READ: Final = ("select", "order", "range", "rangeUnit", "offset", "limit", "preferCount")


def describe_api(api: ApiSchema, title: str = "PostgREST API") -> dict[str, Any]:
    """The document."""
    paths: dict[str, Any] = {"/": {"get": _introspection()}}
    paths |= {f"/{one.name}": _relation_paths(one) for one in api.relations}
    paths |= {f"/rpc/{one.name}": _function_paths(one) for one in api.functions}
    return {
        "swagger": "2.0",
        "info": {
            "title": title,
            "version": "1",
            "description": f"schema {api.schema} as {api.role} sees it, made from the catalog",
        },
        "basePath": "/",
        "schemes": ["https"],
        "consumes": list(MIMES),
        "produces": list(MIMES),
        "paths": paths,
        "definitions": {one.name: _definition(one) for one in api.relations},
        "parameters": _parameters(api),
    }


def json_type(name: str) -> str | None:
    """The type of JSON that a column's type comes as; None for any."""
    if name.endswith("[]"):
        return "array"
    return TYPES.get(name, "string")


def _definition(relation: ApiRelation) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object"}
    required = [one.name for one in relation.columns if one.required]
    if required:  # an empty list is not valid
        found["required"] = required
    if relation.description:
        found["description"] = relation.description
    found["properties"] = {
        one.name: _property(one, one.name in relation.key) for one in relation.columns
    }
    return found


def _property(column: ApiColumn, is_key: bool) -> dict[str, Any]:
    found = _typed(column.type)
    if column.labels:
        found["enum"] = list(column.labels)
    if column.longest is not None:
        found["maxLength"] = column.longest
    note = "Note:\nThis is a Primary Key.<pk/>" if is_key else ""
    told = "\n\n".join(filter(None, (column.description, note)))
    if told:
        found["description"] = told
    return found


def _typed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"format": FORMATS.get(name, name)}
    kind = json_type(name)
    if kind is not None:
        found["type"] = kind
    if kind == "array":
        inner = json_type(name.removesuffix("[]"))
        found["items"] = {"type": inner} if inner else {}
    return found


def _relation_paths(relation: ApiRelation) -> dict[str, Any]:
    name = relation.name
    summary, _, rest = (relation.description or "").partition("\n")
    common: dict[str, Any] = {"tags": [name]}
    if summary:
        common["summary"] = summary
    if rest.strip():
        common["description"] = rest.lstrip("\n")
    filters = [f"rowFilter.{name}.{one.name}" for one in relation.columns]
    page = {"type": "array", "items": {"$ref": f"#/definitions/{escape_pointer(name)}"}}
    read = {"200": {"description": "OK", "schema": page}, "206": {"description": "Partial Content"}}
    found = {"get": _operation(common, [*filters, *_READ], read)}
    if relation.writable:
        body = f"body.{name}"
        made, done = {"201": {"description": "Created"}}, {"204": {"description": "No Content"}}
        found["post"] = _operation(common, [body, "select", "preferPost"], made)
        found["patch"] = _operation(common, [*filters, body, "preferReturn"], done)
        found["delete"] = _operation(common, [*filters, "preferReturn"], done)
    return found


def _operation(
    common: Mapping[str, Any], parameters: list[str], responses: Mapping[str, Any]
) -> dict[str, Any]:
    references = [{"$ref": f"#/parameters/{escape_pointer(one)}"} for one in parameters]
    return {**common, "parameters": references, "responses": responses}


def _function_paths(function: ApiFunction) -> dict[str, Any]:
    common: dict[str, Any] = {"tags": [f"(rpc) {function.name}"]}
    if function.description:
        common["summary"] = function.description.partition("\n")[0]
    done = {"200": {"description": "OK"}}
    named = [one for one in function.parameters if one[0]]
    body: dict[str, Any] = {
        "type": "object",
        "properties": {name: _typed(kind) for name, kind, _ in named},
    }
    if any(required for *_, required in named):
        body["required"] = [name for name, _, required in named if required]
    args = {"in": "body", "name": "args", "required": True, "schema": body}
    found = {"post": {**common, "parameters": [args], "responses": done}}
    if not function.writes:
        asked = [
            {"in": "query", "name": name, "required": required, "type": _in_query(kind)}
            for name, kind, required in named
        ]
        found["get"] = {**common, "parameters": asked, "responses": done}
    return found


def _in_query(kind: str) -> str:
    found = json_type(kind)
    return "string" if found in (None, "array") else str(found)


def _introspection() -> dict[str, Any]:
    return {
        "tags": ["Introspection"],
        "summary": "OpenAPI description (this document)",
        "produces": ["application/openapi+json", "application/json"],
        "responses": {"200": {"description": "OK"}},
    }


def _parameters(api: ApiSchema) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, description in _QUERY.items():
        found[name] = _text("query", name, description)
    for name, header in (("range", "Range"), ("rangeUnit", "Range-Unit")):
        found[name] = _text("header", header, "Limiting and Pagination")
    for name, choices in _PREFER.items():
        found[name] = {**_text("header", "Prefer", "Preference"), "enum": choices}
    for relation in api.relations:
        found |= _relation_parameters(relation)
    return found


def _relation_parameters(relation: ApiRelation) -> dict[str, Any]:
    name = relation.name
    schema = {"$ref": f"#/definitions/{escape_pointer(name)}"}
    found: dict[str, Any] = {
        f"body.{name}": {
            "in": "body", "name": name, "description": name, "required": False, "schema": schema,
        }
    }  # fmt: skip
    for column in relation.columns:
        filtered = _text("query", column.name, column.description or "")
        found[f"rowFilter.{name}.{column.name}"] = filtered
    return found


def _text(place: str, name: str, description: str) -> dict[str, Any]:
    found: dict[str, Any] = {"in": place, "name": name, "required": False, "type": "string"}
    return {**found, "description": description} if description else found


def escape_pointer(name: str) -> str:
    """A name as a JSON pointer in a URI fragment has it."""
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="~$&+,;=@")
