"""Clouds, accounts at them, and what the accounts hold; each with the provider's native document."""

from django.conf import settings
from django.db import models

from activity.models import Stateful, new_id
from cloudmesh.types import UNSETTLED, ImageState, ServerState
from clouds.models.volumes import RESTLESS_VOLUMES, Limit, Volume
from operations.models import Backend, Reading
from projects.models import Project

__all__ = [
    "MOVING",
    "RESTLESS_VOLUMES",
    "Cloud",
    "CloudAccount",
    "Default",
    "Flavor",
    "FloatingIp",
    "Held",
    "Image",
    "KeyPair",
    "Limit",
    "NameCounter",
    "Network",
    "Owned",
    "SecurityGroup",
    "Server",
    "Sync",
    "Volume",
]


class Cloud(models.Model):
    """A cloud that can be used: portal-wide, or one project's own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.SlugField(max_length=40)
    driver = models.CharField(max_length=32)
    label = models.CharField(max_length=120, blank=True)
    owner_project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner_project", "name"], nulls_distinct=False, name="cloud_name")
        ]

    def __str__(self) -> str:
        return self.name


class CloudAccount(Backend):
    """A project's access to a cloud. What people call their cloud is this."""

    KIND = "cloud"
    CALLED = "cloud"
    PROJECT_PATH = "project"
    PUBLIC = frozenset({"is_enabled", "health"})

    cloud = models.ForeignKey(Cloud, models.CASCADE, related_name="accounts")
    project = models.ForeignKey(Project, models.CASCADE, related_name="cloud_accounts")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = "cloud"
        ordering = ["cloud__name"]
        constraints = [models.UniqueConstraint(fields=["project", "cloud"], name="account_once")]

    def __str__(self) -> str:
        return self.cloud.name

    @property
    def place(self) -> dict[str, str]:
        """Named so since before other back-ends had credentials; what is sealed opens only there."""
        return {"tenant": str(self.project_id), "record": f"cloud_account:{self.pk}"}


class Held(models.Model):
    """What an account holds at its cloud, as last seen there."""

    PROJECT_PATH = "account__project"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(CloudAccount, models.CASCADE, related_name="%(class)ss")
    provider_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    native = models.JSONField(default=dict)
    native_hash = models.CharField(max_length=32, blank=True)
    told_at = models.DateTimeField(null=True)  # when an operation learned of it, which no older reading undoes

    class Meta:
        abstract = True
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "provider_id"], name="%(class)s_once")]

    def __str__(self) -> str:
        return self.name


class Owned(Held):
    """What an account holds and somebody asked for here; without an owner it was made elsewhere."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="%(class)ss")

    class Meta(Held.Meta):
        abstract = True


class Image(Owned):
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in ImageState], default=ImageState.ACTIVE)
    login = models.CharField(max_length=32, blank=True)
    own = models.BooleanField(default=False)  # the account's, which may delete it
    min_disk = models.PositiveIntegerField(default=0)  # GiB
    min_ram = models.PositiveIntegerField(default=0)  # MiB
    size = models.BigIntegerField(default=0)  # bytes
    created = models.DateTimeField(null=True)


class Flavor(Held):
    cores = models.PositiveIntegerField(default=0)
    ram = models.PositiveIntegerField(default=0)  # MiB
    disk = models.PositiveIntegerField(default=0)  # GiB

    class Meta(Held.Meta):
        ordering = ["ram", "cores", "disk", "name"]


class Network(Held):
    external = models.BooleanField(default=False)
    shared = models.BooleanField(default=False)
    usable = models.BooleanField(default=True)
    subnets = models.JSONField(default=list)  # address ranges


class KeyPair(Held):
    """A public key at a cloud; `provider_id` is its name there."""

    fingerprint = models.CharField(max_length=100, blank=True)


class SecurityGroup(Owned):
    """A named set of rules that open networks; `network` is where it can be used, if not everywhere."""

    rules = models.JSONField(default=list)
    network = models.CharField(max_length=255, blank=True)

    class Meta(Owned.Meta):
        verbose_name = "security group"


class FloatingIp(Owned):
    """A public address; `name` is the address."""

    server_provider_id = models.CharField(max_length=255, blank=True)

    class Meta(Owned.Meta):
        verbose_name = "address"
        verbose_name_plural = "addresses"


#: States after which another is expected soon.
MOVING = sorted(state.value for state in (*UNSETTLED, ServerState.MISSING))


class Server(Stateful):
    """A virtual machine: wished for here, or found at the cloud.

    While `provider_id` is empty the cloud has not been heard of it; `token` is what finds it there.
    """

    KIND = "server"
    PROJECT_PATH = "project"
    PUBLIC = frozenset({"name", "addresses"})
    FOLLOWS = {
        state: frozenset(ServerState) - ({ServerState.REQUESTED} if state is not ServerState.ERROR else set())
        for state in ServerState
        if state is not ServerState.DELETED
    }

    account = models.ForeignKey(CloudAccount, models.CASCADE, related_name="servers")
    project = models.ForeignKey(Project, models.CASCADE, related_name="servers")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="servers")
    name = models.CharField(max_length=255)
    provider_id = models.CharField(max_length=255, blank=True)
    token = models.CharField(max_length=64, blank=True)
    group = models.CharField(max_length=64, blank=True)
    image = models.CharField(max_length=255, blank=True)  # the provider's ids
    flavor = models.CharField(max_length=255, blank=True)
    key = models.CharField(max_length=255, blank=True)
    cores = models.PositiveIntegerField(default=0)
    ram = models.PositiveIntegerField(default=0)  # MiB
    addresses = models.JSONField(default=list)
    public_addresses = models.JSONField(default=list)
    security_groups = models.JSONField(default=list)
    labels = models.JSONField(default=dict)  # text by text, without what the portal itself writes there
    is_orphan = models.BooleanField(default=False)  # found at the cloud, not wished for here
    created = models.DateTimeField(null=True)  # at the cloud
    native = models.JSONField(default=dict)
    native_hash = models.CharField(max_length=32, blank=True)
    seen_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "provider_id"],
                condition=~models.Q(provider_id="") & ~models.Q(state="deleted"),
                name="server_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["project", "-created_at", "-id"], condition=~models.Q(state="deleted"), name="server_live"
            ),
            models.Index(fields=["-created_at", "-id"], condition=~models.Q(state="deleted"), name="server_newest"),
            models.Index(fields=["account"], condition=models.Q(state__in=MOVING), name="server_moving"),
            models.Index(fields=["account", "token"], condition=~models.Q(token=""), name="server_token"),
            models.Index(fields=["project", "name"], condition=~models.Q(state="deleted"), name="server_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_gone(self) -> bool:
        return self.state == ServerState.DELETED


class Sync(Reading):
    """When one kind of things of an account is read."""

    class Kind(models.TextChoices):
        SERVERS = "servers"
        IMAGES = "images"
        FLAVORS = "flavors"
        NETWORKS = "networks"
        LIMITS = "limits"
        FLOATING_IPS = "floating_ips"
        SECURITY_GROUPS = "security_groups"
        VOLUMES = "volumes"

    account = models.ForeignKey(CloudAccount, models.CASCADE, related_name="syncs")
    kind = models.CharField(max_length=16, choices=Kind)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind"], name="sync_once")]
        indexes = [models.Index(fields=["due_at"], name="sync_due")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account_id}"


class Default(models.Model):
    """A value used when nothing is said: of a user in a project, of a project (no user), or of the portal (neither).

    What is for one cloud names the account; the portal, which has none, names the cloud.
    """

    class Key(models.TextChoices):
        CLOUD = "cloud"
        IMAGE = "image"
        FLAVOR = "flavor"
        KEY = "key"
        NETWORK = "network"
        SECURITY_GROUP = "security_group"
        LOGIN = "login"
        GROUP = "group"
        PREFIX = "prefix"
        SCHEMA = "schema"
        WIDTH = "width"
        FORMAT = "format"
        LAST_SERVER = "last_server"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="defaults")
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="defaults")
    account = models.ForeignKey(CloudAccount, models.CASCADE, null=True, related_name="defaults")
    cloud = models.CharField(max_length=40, blank=True)
    key = models.CharField(max_length=16, choices=Key)
    value = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "project", "account", "cloud", "key"], nulls_distinct=False, name="default_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class NameCounter(models.Model):
    """The next number for a pattern of names in a project; taken under its row lock, so no two boots get the same."""

    project = models.ForeignKey(Project, models.CASCADE)
    pattern = models.CharField(max_length=255)  # gregor_{number}
    next = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "pattern"], name="counter_once")]

    def __str__(self) -> str:
        return self.pattern.replace("{number}", str(self.next))
