"""API tokens over REST: shown once, scoped, ending."""

import datetime
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts import services
from accounts.models import ApiToken, User
from tests.rest import Api

Login = Callable[..., Api]


@pytest.fixture(autouse=True)
def _unthrottled() -> None:
    cache.clear()


def test_a_tokens_secret_is_shown_once(api: Login, member: User) -> None:
    asking = api(member)
    answer = asking.post("tokens/", {"name": "laptop", "expires_days": 30})
    assert answer.status == 201
    assert Api(answer["token"]).get("me/")["username"] == "gregor"
    told = {token["name"]: token for token in asking.get("tokens/").results}["laptop"]
    assert told == {name: value for name, value in answer.body.items() if name != "token"} | {
        "last_used_at": told["last_used_at"]
    }
    assert answer["token"] not in str(asking.get(f"tokens/{told['id']}/").body)
    life = ApiToken.objects.get(pk=told["id"]).expires_at - timezone.now()  # type: ignore[operator]
    assert datetime.timedelta(days=29) < life < datetime.timedelta(days=31)


def test_a_revoked_token_ends_at_once(api: Login, member: User) -> None:
    asking = api(member)
    answer = asking.post("tokens/", {"name": "old"})
    assert asking.delete(f"tokens/{answer['id']}/").status == 204
    refused = Api(answer["token"]).get("me/")
    assert (refused.status, "revoked" in refused.detail) == (401, True)


def test_an_expired_token_says_what_to_do(member: User) -> None:
    _, secret = services.issue_token(user=member, name="x", life=datetime.timedelta(seconds=-1))
    answer = Api(secret).get("me/")
    assert (answer.status, answer["type"], "cm login" in answer.detail) == (401, "/docs/errors/not-authenticated", True)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("secret", ["cm_nonsense", "nonsense", "", "ü", "cm_" + "x" * 5000])
def test_a_foreign_token_is_refused(member: User, secret: str) -> None:
    asking = Api()
    asking.headers = {"Authorization": f"Bearer {secret}"}
    answer = asking.get("me/")
    assert (answer.status, bool(answer.detail)) == (401, True)


def test_a_token_that_may_only_read_does_not_write(api: Login, member: User) -> None:
    reading = api(member, "read")
    assert reading.get("tokens/").status == 200
    answer = reading.post("tokens/", {"name": "more"})
    assert (answer.status, answer.detail) == (403, "This API token may only read.")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"scopes": ["admin"]}, "read and write"),
        ({"scopes": []}, "read and write"),
        ({"scopes": "read"}, "must be a list"),
        ({"expires_days": 0}, "between 1 and 3650"),
        ({"expires_days": 10**6}, "between 1 and 3650"),
        ({"expires_days": "soon"}, "whole number"),
        ({"name": "x" * 65}, "64"),
        ({"scope": ["read"]}, "Did you mean scopes"),
    ],
)
def test_a_token_that_cannot_be_is_refused(api: Login, member: User, wish: object, words: str) -> None:
    answer = api(member).post("tokens/", wish)
    assert (answer.status, words in answer.detail) == (400, True), answer.body


def test_so_many_tokens_at_once_are_too_many(api: Login, member: User) -> None:
    asking = api(member)
    answers = [asking.post("tokens/", {"name": "x"}) for _ in range(11)]
    assert [answer.status for answer in answers] == [201] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) <= 60


def test_somebody_elses_token_is_not_found(api: Login, member: User, lead: User) -> None:
    token, _ = services.issue_token(user=lead, name="x")
    for answer in (api(member).get(f"tokens/{token.pk}/"), api(member).delete(f"tokens/{token.pk}/")):
        assert answer.status == 404
    assert ApiToken.objects.filter(pk=token.pk).exists()
