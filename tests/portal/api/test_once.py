"""An Idempotency-Key at any end point: invitations, tokens, deletions; whoever did not hear the answer asks again."""

import json
from collections.abc import Callable

import pytest

from accounts.models import Answered, ApiToken, User
from clouds.models import CloudAccount
from portal.api.schema import document
from projects.models import Invitation, Project
from tests.rest import Api

pytestmark = pytest.mark.django_db
Login = Callable[..., Api]


def test_a_repeated_invitation_is_one(api: Login, lead: User, project: Project) -> None:
    asking, wish = api(lead), {"email": "new@example.org"}
    first, again = (
        asking.post(f"projects/{project.name}/invitations/", wish, Idempotency_Key="once") for _ in range(2)
    )
    assert (first.status, first.body) == (again.status, again.body)
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")
    assert Invitation.objects.count() == 1


def test_a_repeated_token_has_the_same_secret_which_no_column_holds(api: Login, member: User) -> None:
    asking = api(member)
    first, again = (asking.post("tokens/", {"name": "ci"}, Idempotency_Key="once") for _ in range(2))
    assert (first.status, first["token"]) == (201, again["token"])
    assert ApiToken.objects.filter(name="ci").count() == 1
    assert first["token"] not in str(Answered.objects.values())


def test_a_repeated_deletion_is_answered_as_the_first(api: Login, member: User) -> None:
    asking = api(member)
    token = asking.post("tokens/", {"name": "ci"})["id"]
    assert [asking.delete(f"tokens/{token}/", Idempotency_Key="once").status for _ in range(2)] == [204, 204]
    assert asking.delete(f"tokens/{token}/", Idempotency_Key="other").status == 404


def test_the_same_key_with_another_body_path_or_token_is_refused(api: Login, member: User) -> None:
    asking = api(member)
    asking.post("tokens/", {"name": "ci"}, Idempotency_Key="once")
    for other in (
        asking.post("tokens/", {"name": "cd"}, Idempotency_Key="once"),
        asking.change("defaults/", {"name": "ci"}, Idempotency_Key="once"),
        api(member, "read").post("tokens/", {"name": "ci"}, Idempotency_Key="once"),
    ):
        assert (other.status, other["type"]) == (422, "/docs/errors/reused")


def test_what_was_refused_may_be_asked_again_under_its_key(api: Login, account: CloudAccount, member: User) -> None:
    asking = api(member)
    for _ in range(2):
        assert asking.post("servers/", {"count": 51}, Idempotency_Key="once").status == 409
    assert asking.post("servers/", {"count": 1}, Idempotency_Key="once").status == 202


@pytest.mark.parametrize(("key", "status"), [("k" * 129, 400), ("k", 401)])
def test_a_key_that_cannot_be_or_of_nobody_is_refused(api: Login, member: User, key: str, status: int) -> None:
    answer = (Api() if status == 401 else api(member)).post("tokens/", {}, Idempotency_Key=key)
    assert (answer.status, bool(answer.detail)) == (status, True)


def test_every_unsafe_end_point_says_that_it_takes_a_key() -> None:
    unsafe = [
        operation
        for methods in json.loads(document())["paths"].values()
        for method, operation in methods.items()
        if method != "get"
    ]
    assert len(unsafe) > 50
    assert all("Idempotency-Key" in [each["name"] for each in operation["parameters"]] for operation in unsafe)
