"""What the type of a problem leads to."""

import inspect

import pytest
from django.test import Client

from cloudmesh import errors
from portal.views.explain import MEANINGS


def test_every_error_has_its_meaning_in_the_tree() -> None:
    told = {kind for kind, _ in MEANINGS.values()}
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.CloudmeshError)}
    assert kinds - {errors.CloudmeshError} == told


@pytest.mark.django_db
def test_the_meaning_is_a_page_for_everybody(client: Client) -> None:
    answer = client.get("/docs/errors/quota-exceeded")
    assert answer.status_code == 200
    assert b"A limit would be passed." in answer.content
    assert client.get("/docs/errors/nonsense").status_code == 404
