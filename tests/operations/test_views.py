"""Wishes as pages."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils.html import escape

from accounts.models import User
from clouds import services
from clouds.models import CloudAccount, Server
from operations.models import Operation, OperationState
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def web(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


@pytest.fixture
def stopping(server: Server, member: User) -> Operation:
    return services.change_servers(actor=member, servers=[server], action="stop")


def shown(web: Client, query: str = "") -> list[str]:
    return [str(operation) for operation in web.get(f"/operations/{query}").context["operations"]]


def test_the_list_shows_wishes_and_not_their_parts(web: Client, account: CloudAccount, member: User) -> None:
    Operation.objects.all().delete()
    servers = factories.make_servers(account, member, 3)
    services.change_servers(actor=member, servers=servers, action="stop")
    assert shown(web) == ["server.act 3 servers"]
    assert shown(web, "?state=failed") == []
    assert shown(web, "?owner=me&state=queued") == ["server.act 3 servers"]


def test_a_batch_has_a_page_with_its_parts(web: Client, account: CloudAccount, member: User) -> None:
    servers = factories.make_servers(account, member, 3)
    batch = services.change_servers(actor=member, servers=servers, action="stop")
    context = web.get(f"/operations/{batch.pk}/").context
    assert len(context["children"]) == 3
    assert context["operation"].counts == {"queued": 3}
    assert web.get(f"/operations/{context['children'][0].pk}/").context["parent"] == batch


def test_a_wish_is_taken_back_and_tried_again_by_a_button(web: Client, stopping: Operation) -> None:
    row = web.get(f"/operations/{stopping.pk}/row/").context["operation"]
    assert (row.may_cancel, row.may_retry) == (True, False)
    assert web.post(f"/operations/{stopping.pk}/cancel/", headers=HTMX).status_code == 204
    stopping.refresh_from_db()
    assert stopping.state == OperationState.CANCELLED
    refused = web.post(f"/operations/{stopping.pk}/cancel/", headers=HTMX)
    assert "cancelled already" in json.loads(refused.content)["detail"]
    Operation.objects.filter(pk=stopping.pk).update(state=OperationState.FAILED)
    assert web.get(f"/operations/{stopping.pk}/row/").context["operation"].may_retry
    assert web.post(f"/operations/{stopping.pk}/retry/").headers["Location"] == f"/operations/{stopping.pk}/"
    stopping.refresh_from_db()
    assert stopping.state == OperationState.QUEUED


def test_the_console_log_is_shown_as_text(
    web: Client, account: CloudAccount, member: User, work: Callable[[], None]
) -> None:
    server = factories.boot(account, member)
    operation = services.read_console_log(actor=member, server=server)
    work()
    page = web.get(f"/operations/{operation.pk}/")
    first = page.context["log"].splitlines()[0]
    assert first.strip()
    assert escape(first) in page.content.decode()
    assert page.context["result"] == {}


def test_wishes_of_other_projects_are_not_there(web: Client, stopping: Operation, stranger: User) -> None:
    web.force_login(stranger)
    assert shown(web) == []
    assert web.get(f"/operations/{stopping.pk}/").status_code == 404
    assert web.get(f"/operations/{stopping.pk}/row/").status_code == 204
    assert web.post(f"/operations/{stopping.pk}/cancel/").status_code == 404


def test_somebody_elses_wish_is_seen_and_left_alone(web: Client, account: CloudAccount, lead: User) -> None:
    [server] = factories.make_servers(account, lead, 1)
    wish = services.change_servers(actor=lead, servers=[server], action="stop")
    assert not web.get(f"/operations/{wish.pk}/").context["operation"].may_cancel
    assert web.post(f"/operations/{wish.pk}/cancel/", headers=HTMX).status_code == 403
