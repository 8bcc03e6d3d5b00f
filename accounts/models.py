"""Users, their SSH keys, and what lets a program or a link sign in for them."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now


class PortalRole(models.TextChoices):
    """What somebody is in the portal as a whole; administrators are Django's superusers."""

    REVIEWER = "reviewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class User(AbstractUser):
    """A person. `source` says who knows the password: this portal, or a directory under `directory_dn`."""

    class Source(models.TextChoices):
        LOCAL = "local"
        LDAP = "ldap"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.LOCAL)
    directory_dn = models.CharField(max_length=255, blank=True)
    portal_roles = ArrayField(models.CharField(max_length=16, choices=PortalRole), default=list, blank=True)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
            models.UniqueConstraint(Lower("username"), name="user_name_unique"),
        ]

    @property
    def topic(self) -> str:
        return f"user:{self.pk}"


class SshKey(models.Model):
    """A public key of a user, used as the key pair of all clouds."""

    USER_PATH = "user"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="ssh_keys")
    name = models.CharField(max_length=64)
    public_key = models.TextField()
    fingerprint = models.CharField(max_length=64)  # SHA256:…, as `ssh-keygen -l` prints it
    comment = models.CharField(max_length=255, blank=True)
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
