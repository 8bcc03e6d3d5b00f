"""The OpenAPI document: valid, and no part of it guessed."""

import json
from pathlib import Path

from django.core.management import call_command
from openapi_spec_validator import OpenAPIV31SpecValidator

from portal.api.schema import document
from tests.rest import Api


def test_the_document_is_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "api.yaml"))
    assert "openapi: 3.1.0" in (tmp_path / "api.yaml").read_text()


def test_the_document_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(json.loads(document())).iter_errors()) == []


def test_anybody_may_read_the_document() -> None:
    answer = Api().get("schema/")
    assert answer.status == 200
    assert answer["openapi"] == "3.1.0"


def test_every_end_point_says_how_it_fails() -> None:
    for path, methods in json.loads(document())["paths"].items():
        for method, operation in methods.items():
            assert "application/problem+json" in operation["responses"]["default"]["content"], (method, path)
