"""Rotation of the keys that seal secrets: everything is wrapped anew, and what cannot be is named."""

import base64

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from accounts import secrets
from accounts import services as accounts
from accounts.models import Authenticator, User, Webhook
from cloudmesh.errors import Unreadable
from clouds.models import CloudAccount

pytestmark = pytest.mark.django_db
NEW_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@pytest.fixture
def sealed(member: User, account: CloudAccount) -> CloudAccount:
    accounts.prepare_authenticator(actor=member)
    webhook = Webhook(owner=member, topic=member.topic, url="https://example.org/hook")
    webhook.secret = secrets.seal(secrets.ring(), {"secret": "s"}, **accounts.place_of(webhook))
    webhook.save()
    return account


def test_the_old_key_can_be_dropped_afterwards(settings: LazySettings, sealed: CloudAccount, member: User) -> None:
    old = settings.CLOUDMESH_KEYS
    before = secrets.unseal(secrets.ring(), sealed.credential, **sealed.place)
    settings.CLOUDMESH_KEYS = f"new:{NEW_KEY},{old}"
    call_command("rotate_keys", verbosity=0)
    settings.CLOUDMESH_KEYS = f"new:{NEW_KEY}"
    sealed.refresh_from_db()
    assert secrets.unseal(secrets.ring(), sealed.credential, **sealed.place) == before
    authenticator, webhook = Authenticator.objects.get(user=member), Webhook.objects.get()
    assert secrets.unseal(secrets.ring(), authenticator.secret, **accounts.place_of_code(authenticator))
    assert secrets.unseal(secrets.ring(), webhook.secret, **accounts.place_of(webhook)) == {"secret": "s"}


def test_doing_it_again_writes_nothing(settings: LazySettings, sealed: CloudAccount) -> None:
    settings.CLOUDMESH_KEYS = f"new:{NEW_KEY},{settings.CLOUDMESH_KEYS}"
    call_command("rotate_keys", verbosity=0)
    before = Webhook.objects.get().secret
    call_command("rotate_keys", verbosity=0)
    assert Webhook.objects.get().secret == before


def test_what_does_not_open_is_named_and_left(
    settings: LazySettings, sealed: CloudAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.CLOUDMESH_KEYS = f"new:{NEW_KEY}"
    with pytest.raises(CommandError, match="keep all keys"):
        call_command("rotate_keys", verbosity=0)
    assert str(sealed.pk) in capsys.readouterr().err
    with pytest.raises(Unreadable):
        secrets.unseal(secrets.ring(), sealed.credential, **sealed.place)
