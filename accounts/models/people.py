"""People: their accounts, who they are, and what they agreed to."""

import uuid
from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now

from activity.models import Stateful

if TYPE_CHECKING:
    from accounts.models.keys import Impersonation


class PortalRole(models.TextChoices):
    """What somebody is in the portal as a whole; administrators are Django's superusers."""

    REVIEWER = "reviewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class AccountState(models.TextChoices):
    """How far an account is; only an active one signs in."""

    APPLIED = "applied"
    CONFIRMED = "confirmed"  # the e-mail address is theirs
    APPROVED = "approved"  # by the committee; active once a password is set
    ACTIVE = "active"
    SUSPENDED = "suspended"
    BLOCKED = "blocked"
    DENIED = "denied"
    EXPIRED = "expired"


class User(Stateful, AbstractUser):
    """A person. `source` says who knows the password: this portal, or a directory under `directory_dn`."""

    KIND = "user"
    FOLLOWS = {
        AccountState.APPLIED: frozenset({AccountState.CONFIRMED, AccountState.DENIED, AccountState.EXPIRED}),
        AccountState.CONFIRMED: frozenset({AccountState.APPROVED, AccountState.DENIED, AccountState.EXPIRED}),
        AccountState.APPROVED: frozenset(
            {AccountState.ACTIVE, AccountState.CONFIRMED, AccountState.DENIED, AccountState.EXPIRED}
        ),
        AccountState.ACTIVE: frozenset({AccountState.SUSPENDED, AccountState.BLOCKED, AccountState.EXPIRED}),
        AccountState.SUSPENDED: frozenset({AccountState.ACTIVE, AccountState.BLOCKED, AccountState.EXPIRED}),
        AccountState.BLOCKED: frozenset({AccountState.ACTIVE}),
        AccountState.DENIED: frozenset({AccountState.CONFIRMED, AccountState.APPLIED}),  # as it was before
        AccountState.EXPIRED: frozenset({AccountState.ACTIVE, AccountState.CONFIRMED}),
    }
    PUBLIC = frozenset({"expires_at", "portal_roles"})

    class Source(models.TextChoices):
        LOCAL = "local"
        LDAP = "ldap"

    only_project: uuid.UUID | None = None  # of whoever came with an API token that is bound to one project
    impersonation: "Impersonation | None" = None  # through which an administrator acts as this user in this request

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=24, choices=AccountState, default=AccountState.ACTIVE)
    email = models.EmailField(unique=True)
    source = models.CharField(max_length=8, choices=Source, default=Source.LOCAL)
    directory_dn = models.CharField(max_length=255, blank=True)
    portal_roles = ArrayField(models.CharField(max_length=16, choices=PortalRole), default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
            models.UniqueConstraint(Lower("username"), name="user_name_unique"),
            models.CheckConstraint(
                condition=models.Q(state=AccountState.ACTIVE, is_active=True)
                | (~models.Q(state=AccountState.ACTIVE) & models.Q(is_active=False)),
                name="user_active_by_state",
            ),
        ]
        indexes = [models.Index(fields=["state", "-created_at"], name="user_state")]

    def __str__(self) -> str:
        return self.username

    @property
    def topic(self) -> str:
        return f"user:{self.pk}"

    @property
    def full_name(self) -> str:
        """What people call them: the user name where they told no other."""
        return self.get_full_name() or self.username

    @property
    def acted_by(self) -> str:
        """The name of the administrator who acts as this user just now; empty when it is themselves."""
        return self.impersonation.admin.username if self.impersonation else ""


class InstitutionRole(models.TextChoices):
    UNDERGRADUATE = "undergraduate", "Student, undergraduate"
    MASTERS = "masters", "Student, graduate (master's)"
    PHD = "phd", "Student, graduate (PhD)"
    STUDENT = "student", "Student, other"
    FACULTY = "faculty", "Faculty"
    STAFF = "staff", "Staff"
    OTHER = "other", "Other"


STUDENTS = frozenset(
    {InstitutionRole.UNDERGRADUATE, InstitutionRole.MASTERS, InstitutionRole.PHD, InstitutionRole.STUDENT}
)


class Profile(models.Model):
    """What a person told of themselves; phone, citizenship and advisor are for administrators and themselves only."""

    USER_PATH = "user"

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="profile")
    title = models.CharField(max_length=32, blank=True)
    phone = models.CharField(max_length=64, blank=True)
    url = models.URLField(blank=True, verbose_name="Web page")
    citizenship = models.CharField(max_length=64, blank=True)
    bio = models.TextField(blank=True, max_length=4000)
    institution = models.CharField(max_length=200, blank=True)
    institution_role = models.CharField(max_length=16, choices=InstitutionRole, blank=True)
    department = models.CharField(max_length=200, blank=True)
    address = models.TextField(blank=True, max_length=1000)
    advisor = models.TextField(blank=True, max_length=1000, help_text="Name, department, phone, e-mail, web page")
    country = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"profile of {self.user}"


class Agreement(models.Model):
    """Terms that everybody accepts before working; a new version is to be accepted anew."""

    name = models.SlugField(max_length=40)
    version = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=200)
    text = models.TextField()
    published_at = models.DateTimeField(null=True, blank=True)  # drafts have none
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="agreement_once")]

    def __str__(self) -> str:
        return f"{self.title}, version {self.version}"


class Acceptance(models.Model):
    """That somebody accepted one version of an agreement."""

    USER_PATH = "user"

    user = models.ForeignKey(User, models.CASCADE, related_name="acceptances")
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="acceptances")
    accepted_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "agreement"], name="acceptance_once")]

    def __str__(self) -> str:
        return f"{self.user} accepted {self.agreement}"
