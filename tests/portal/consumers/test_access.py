"""Whoever is signed out, locked out or loses a role hears nothing more, at once, on a real connection."""

from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed

from accounts import services as accounts
from accounts.backends.sessions import hidden
from accounts.lifecycle import move
from accounts.models import AccountState, PortalRole, Session, User
from activity import lifecycle
from projects import services as projects
from projects.services.impersonation import ACTING
from tests import factories
from tests.portal.consumers.conftest import Person, Place, Team, sign_in

SIGNED_OUT = 4401


def end_this(user: User) -> None:
    accounts.end_session(session=Session.objects.get(user=user), actor=user)


def end_all(user: User) -> None:
    accounts.sign_out_everywhere(actor=user)


def lock_out(user: User) -> None:
    move(user, AccountState.SUSPENDED, reason="It sent mails to all the world.")


def choose_a_password(user: User) -> None:
    accounts.set_password(user=user, password="another horse battery")


@pytest.mark.parametrize("end", [end_this, end_all, lock_out, choose_a_password])
def test_the_open_sockets_of_a_session_end_with_it(place: Place, team: Team, end: Callable[[User], None]) -> None:
    headers, _ = sign_in(place, team.member)
    with place.socket(headers={**headers, "Origin": place.listener.url}) as socket:
        socket.subscribe(team.topic)
        end(User.objects.get(pk=team.member.user.pk))
        assert socket.closed()[0] == SIGNED_OUT


def test_another_session_of_the_same_user_goes_on(place: Place, team: Team) -> None:
    ended, session = sign_in(place, team.member)
    kept, _ = sign_in(place, team.member)
    origin = {"Origin": place.listener.url}
    with place.socket(headers=ended | origin) as one, place.socket(headers=kept | origin) as other:
        one.subscribe(team.topic)
        other.subscribe(team.topic)
        row = Session.objects.get(pk=hidden(str(session.session_key)))
        accounts.end_session(session=row, actor=team.member.user)
        assert one.closed()[0] == SIGNED_OUT
        seq = team.change()
        assert other.until(seq)[-1] == seq


def test_who_is_locked_out_is_closed_with_a_token_too(place: Place, team: Team) -> None:
    with place.socket(team.member.token) as socket:
        socket.subscribe(team.topic)
        lock_out(User.objects.get(pk=team.member.user.pk))
        assert socket.closed()[0] == SIGNED_OUT
    with pytest.raises(ConnectionClosed), place.socket(team.member.token) as again:
        again.subscribe(team.topic)


def test_who_is_no_operator_any_more_hears_only_their_own(place: Place, team: Team, stranger: Person) -> None:
    def become(*roles: str) -> None:
        lifecycle.change(User.objects.get(pk=stranger.user.pk), verb="roles", portal_roles=list(roles))

    become(PortalRole.OPERATOR)
    with place.socket(stranger.token) as socket:
        socket.subscribe(team.topic, stranger.user.topic)
        seq = team.change()
        assert socket.until(seq) == [seq]
        become()
        assert socket.next()["refused"] == team.topic
        team.change()
        assert socket.next()["kind"] == "user"
        assert socket.is_silent()


def test_who_acts_as_somebody_hears_what_they_hear_until_it_ends(place: Place, team: Team) -> None:
    root = Person(factories.make_user(f"root-{team.project.name}", is_admin=True), "")
    headers, session = sign_in(place, root)
    begun = projects.impersonate(actor=root.user, user=team.member.user, reason="To see what they see.", minutes=5)
    session[ACTING] = str(begun.pk)
    session.save()
    other = Team.new()
    with place.socket(headers={**headers, "Origin": place.listener.url}) as socket:
        socket.send({"subscribe": [other.topic, team.topic, team.member.user.topic]})
        assert socket.next()["refused"] == other.topic
        assert "ready" in socket.next()
        seq = team.change()
        assert socket.until(seq) == [seq]
        accounts.end_impersonations(admin=root.user)
        assert socket.next()["refused"] == team.member.user.topic
