"""Operations over REST: what was asked for, and changing one's mind."""

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, Server
from operations.models import Operation
from tests import factories
from tests.rest import Api

Login = Callable[..., Api]


@pytest.fixture
def boot(account: CloudAccount, member: User) -> Operation:
    return services.boot_servers(actor=member, project=account.project)


@pytest.fixture
def batch(account: CloudAccount, member: User) -> Operation:
    return services.boot_servers(actor=member, project=account.project, count=3, name="web")


def test_an_operation_is_told_with_its_target(api: Login, boot: Operation, member: User) -> None:
    told = api(member).get(f"operations/{boot.pk}/")
    assert (told["kind"], told["state"], told["actor"], told["project"]) == (
        "server.create",
        "queued",
        "gregor",
        "fg101",
    )
    assert told["target"] == {"kind": "server", "id": str(boot.target_id), "name": "gregor_1"}
    assert (told["counts"], told["result"], told["is_batch"]) == ({}, {}, False)


def test_operations_are_narrowed(api: Login, boot: Operation, batch: Operation, member: User) -> None:
    asking = api(member)

    def found(**query: object) -> int:
        return len(asking.get("operations/", query).results)

    assert found(kind="server.create") == 5
    assert found(parent=batch.pk) == 3
    assert found(target=boot.target_id) == found(target="gregor_1") == 1
    assert found(state="queued,running", project="fg101") == 5
    assert found(state="succeeded") == 1  # the verification of the cloud
    assert found(search="web_2") == 1


@pytest.mark.parametrize("query", [{"parent": "x"}, {"state": "done"}, {"project": "nowhere"}, {"id": "x"}])
def test_a_filter_that_means_nothing_is_refused(
    api: Login, boot: Operation, member: User, query: dict[str, str]
) -> None:
    assert api(member).get("operations/", query).detail


def test_many_operations_need_as_many_questions_as_one(api: Login, account: CloudAccount, member: User) -> None:
    for _ in range(5):
        services.boot_servers(actor=member, project=account.project, count=5)
    asking = api(member)
    asking.get("operations/")

    def questions(size: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert len(asking.get("operations/", {"page_size": size}).results) == size
        return len(asked)

    assert questions(30) <= questions(1) + 1 <= 6


def test_a_boot_is_taken_back(api: Login, boot: Operation, member: User) -> None:
    asking = api(member)
    assert asking.post(f"operations/{boot.pk}/cancel/")["state"] == "cancelled"
    again = asking.post(f"operations/{boot.pk}/cancel/")
    assert (again.status, "nothing to cancel" in again.detail) == (409, True)
    assert not Server.objects.exclude(state="deleted").exists()


def test_a_batch_is_taken_back_with_all_its_parts(api: Login, batch: Operation, member: User) -> None:
    answer = api(member).post(f"operations/{batch.pk}/cancel/")
    assert (answer["state"], answer["counts"]) == ("cancelled", {"cancelled": 3})


@pytest.mark.django_db(transaction=True)
def test_what_failed_is_tried_once_more(
    api: Login, account: CloudAccount, world: object, member: User, work: Callable[[], None]
) -> None:
    factories.control.fail(world, "create_server", "build-error", times=1)
    asking = api(member)
    boot = asking.post("servers/")
    work()
    failed = asking.get(boot.headers["Location"])
    assert (failed["state"], bool(failed["reason"])) == ("failed", True)
    assert asking.get("servers/").results[0]["state"] == "error"
    answer = asking.post(f"operations/{failed['id']}/retry/")
    assert (answer.status, answer["state"]) == (202, "queued")
    work()
    assert asking.get(boot.headers["Location"])["state"] == "succeeded"
    assert asking.get("servers/").results[0]["state"] == "active"


def test_what_did_not_fail_is_not_tried_again(api: Login, boot: Operation, member: User) -> None:
    answer = api(member).post(f"operations/{boot.pk}/retry/")
    assert (answer.status, "only what failed" in answer.detail) == (409, True)


def test_an_operation_that_is_not_there_is_not_found(api: Login, member: User) -> None:
    asking = api(member)
    assert asking.get(f"operations/{uuid.uuid4()}/").status == 404
    assert asking.get("operations/nonsense/").status == 404
