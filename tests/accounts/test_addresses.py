"""Another e-mail address: asked for with the password, proven by a mail, told to the address before."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import services
from accounts.models import User
from activity.models import Event
from cloudmesh.errors import Conflict, Invalid
from tests.accounts.test_applications import delivered, link_in
from tests.factories import PASSWORD, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_asked")]

NEW = "gvl@example.net"


def ask(page: Client, email: str = NEW, password: str = PASSWORD) -> Any:
    return page.post("/account/email/", {"email": email, "password": password})


def test_the_link_makes_it_ones_address_and_the_one_before_is_told(page: Client, gregor: User) -> None:
    assert ask(page).status_code == 302
    (asked,) = delivered()
    assert asked.to == [NEW]
    link = link_in(asked.body, "account/email")
    assert NEW in Client().get(link).content.decode()
    gregor.refresh_from_db()
    assert gregor.email == "gregor@example.org"
    assert page.post(link).headers["Location"] == "/account/"
    gregor.refresh_from_db()
    assert gregor.email == NEW
    (told,) = delivered()
    assert told.to == ["gregor@example.org"]
    assert Event.objects.filter(object_id=gregor.pk, verb="email").count() == 1
    assert Client().post(link).status_code == 400


def test_a_wrong_password_changes_nothing_and_is_counted(page: Client) -> None:
    for _ in range(services.WRONG_IN_A_ROW):
        cache.clear()
        assert "This is not your password." in ask(page, password="guess").content.decode()
    cache.clear()
    assert "too many wrong passwords" in ask(page).content.decode()
    assert not [mail for mail in delivered() if NEW in mail.to]


def test_an_address_of_somebody_else_is_not_told_from_a_free_one(page: Client, gregor: User) -> None:
    other = make_user("fugang")
    assert ask(page, other.email.upper()).headers == ask(page, "free@example.net").headers
    taken, free = delivered()
    assert "already" in taken.subject
    assert "/account/email/" not in taken.body
    assert "/account/email/" in free.body


def test_two_who_ask_for_one_address_do_not_both_get_it(gregor: User) -> None:
    other = make_user("fugang", password=PASSWORD)
    for user in (gregor, other):
        services.ask_for_email(actor=user, email=NEW, password=PASSWORD)
    first, second = (link_in(mail.body, "account/email").split("/")[-2] for mail in delivered())
    services.change_email(token=first)
    with pytest.raises(Conflict):
        services.change_email(token=second)
    other.refresh_from_db()
    assert other.email == "fugang@example.org"


@pytest.mark.parametrize("email", ["gregor@example.org", "GREGOR@example.org", "no address", "a@b.c\nBcc: x@y.z", ""])
def test_what_is_no_new_address_is_refused(page: Client, email: str) -> None:
    assert ask(page, email).status_code == 400
    assert not delivered()


def test_a_directory_says_the_address_of_its_people(page: Client, gregor: User) -> None:
    User.objects.filter(pk=gregor.pk).update(source="ldap")
    assert "directory says your address" in page.get("/account/email/").content.decode()
    assert ask(page).status_code == 400
    assert not delivered()


def test_a_link_that_was_cut_is_told_so() -> None:
    with pytest.raises(Invalid, match="not complete"):
        services.asked_email("cut")
    assert Client().get("/account/email/cut/").status_code == 400


def test_mails_are_not_asked_for_without_end(page: Client) -> None:
    answers = [ask(page, f"new{n}@example.net").status_code for n in range(7)]
    assert answers == [302] * 5 + [400] * 2
