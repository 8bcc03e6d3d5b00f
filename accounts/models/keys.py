"""What signs somebody in, and as whom: keys, tokens, links, sessions, second factors."""

import importlib
import math
import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models.people import User

#: What browsers and systems say of themselves → what people call them; the first that fits.
BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrom": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS",
    "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


class SshKey(models.Model):
    """A public key of a user, used as the key pair of all clouds."""

    USER_PATH = "user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="ssh_keys")
    name = models.CharField(max_length=64)
    public_key = models.TextField()
    fingerprint = models.CharField(max_length=64)  # SHA256:…, as `ssh-keygen -l` prints it
    comment = models.CharField(max_length=255, blank=True)
    source = models.CharField(  # who gives and takes it: its user, or a directory
        max_length=8, choices=User.Source, default=User.Source.LOCAL, db_default=User.Source.LOCAL
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="ssh_key_name"),
            models.UniqueConstraint(fields=["user", "fingerprint"], name="ssh_key_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.name


class ApiToken(models.Model):
    """What a program signs in with. Only a digest is kept; the token has 256 random bits."""

    USER_PATH = "user"

    class Scope(models.TextChoices):
        READ = "read"
        WRITE = "write"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope), default=list)
    project_id = models.UUIDField(null=True)  # the only project that it works in; empty for all of its user's
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class LoginLink(models.Model):
    """A link that signs its user in once."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="login_links")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"login link of {self.user}"


class DeviceLogin(models.Model):
    """A program that asks to be let in, until somebody said yes or no in a browser and it fetched its token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64, unique=True)  # of what the program shows
    code_digest = models.CharField(max_length=64, unique=True)  # keyed, of what the person types: that is short
    client = models.CharField(max_length=64)  # as it says of itself, and so is the host
    host = models.CharField(max_length=64)
    address = models.GenericIPAddressField(null=True)
    scopes = ArrayField(models.CharField(max_length=16, choices=ApiToken.Scope), default=list)
    days = models.PositiveSmallIntegerField()  # that the token is to live
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="device_logins")  # who decided
    is_allowed = models.BooleanField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(db_index=True)
    asked_at = models.DateTimeField(null=True)  # when the program asked last

    def __str__(self) -> str:
        return f"{self.client} on {self.host}"


class SessionManager(BaseSessionManager["Session"]):
    use_in_migrations = True


class Session(AbstractBaseSession):
    """A browser that somebody is signed in with."""

    USER_PATH = "user"

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[SessionManager] = SessionManager()

    @classmethod
    def get_session_store_class(cls) -> type:
        store: type = importlib.import_module(settings.SESSION_ENGINE).SessionStore
        return store

    @property
    def device(self) -> str:
        """What somebody knows it by: `Firefox on Linux`."""
        browser = next((name for sign, name in BROWSERS.items() if sign in self.agent), "")
        system = next((name for sign, name in SYSTEMS.items() if sign in self.agent), "")
        return " on ".join(filter(None, (browser or "A browser", system)))


class Authenticator(models.Model):
    """A second factor: time-based one-time passwords (RFC 6238), sealed; unconfirmed until a first code was right."""

    USER_PATH = "user"

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="authenticator")
    secret = models.TextField()  # sealed, bound to the user
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)  # the time step of the last code taken: none is taken twice

    def __str__(self) -> str:
        return f"authenticator of {self.user}"


class RecoveryCode(models.Model):
    """Signs in once instead of a second factor."""

    USER_PATH = "user"

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code of {self.user}"


class Impersonation(models.Model):
    """An administrator looking through somebody's eyes, with a reason and for a while; they see it afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    admin = models.ForeignKey(User, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="impersonations")
    reason = models.CharField(max_length=400)
    may_write = models.BooleanField(default=False)
    started_at = models.DateTimeField(db_default=Now(), editable=False)
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.admin} as {self.user}"

    @property
    def minutes_left(self) -> int:
        """Rounded up; 0 when it is over."""
        left = (self.ends_at - timezone.now()).total_seconds()
        return max(0, math.ceil(left / 60)) if self.ended_at is None else 0


class Tries(models.Model):
    """Wrong passwords or codes in a row, of an account or for a name that nobody has: both are locked alike."""

    key = models.CharField(max_length=80, primary_key=True)  # user:ID, name:DIGEST, code:ID
    wrong = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(db_default=Now())
    locked_until = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)  # when its owner was told of the lock

    class Meta:
        verbose_name_plural = "tries"
        indexes = [
            models.Index(
                fields=["locked_until"],
                condition=models.Q(locked_until__isnull=False, told_at=None),
                name="tries_to_tell",
            )
        ]

    def __str__(self) -> str:
        return f"{self.wrong} wrong tries of {self.key}"
