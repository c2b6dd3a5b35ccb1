"""Whether a document is valid OpenAPI, said by a validator that is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core.extras import require_extra


def list_faults(document: Mapping[str, Any]) -> list[str]:
    """What a validator has against a document, place first.

    Raises InfrastructureError where the extra `api` is not installed.
    """
    require_extra("api", "a look at an OpenAPI document")
    from openapi_spec_validator import OpenAPIV2SpecValidator

    return [
        f"{'/'.join(map(str, error.absolute_path)) or '(the whole)'}: {error.message[:200]}"
        for error in OpenAPIV2SpecValidator(document).iter_errors()
    ]
