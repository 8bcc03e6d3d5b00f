"""What clouds offer, over REST: images, flavors and networks."""

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.models import User
from activity.api import Answer, Body, Filter, Lists, OneOf, Signed, Texts, one, one_of
from activity.views import SIGNED
from cloudmesh.errors import Invalid
from cloudmesh.types import ImageState
from clouds import services
from clouds.api.accounts import IN_CLOUD
from clouds.models import Flavor, Held, Image, Network
from operations.api import NOTHING, OperationAnswer, accepted
from projects import access
from projects.api import IN_PROJECT

NAMED = Filter("Of these names: a hostlist such as a,b or globs such as ubuntu-*.", lambda actor, t: services.named(t))
OF_PROJECT = Filter(
    IN_PROJECT.meaning,
    lambda actor, text: Q(account__project=access.project_named(actor, text, permission="project.view").pk),
)


class ImageAnswer(Answer):
    """What a server is made from."""

    id = serializers.UUIDField(source="held.pk")
    provider_id = serializers.CharField(source="held.provider_id")
    name = serializers.CharField(source="held.name")
    cloud = serializers.CharField(source="held.account.cloud.name")
    project = serializers.CharField(source="held.account.project.name")
    state = serializers.ChoiceField([state.value for state in ImageState], source="held.state")
    own = serializers.BooleanField(source="held.own", help_text="Of the account itself, which may delete it")
    login = serializers.CharField(source="held.login", help_text="User name to log in with; empty where not known")
    min_disk = serializers.IntegerField(source="held.min_disk", help_text="GiB")
    min_ram = serializers.IntegerField(source="held.min_ram", help_text="MiB")
    size = serializers.IntegerField(source="held.size", help_text="Bytes")
    created = serializers.DateTimeField(source="held.created", allow_null=True)
    is_default = serializers.BooleanField(help_text="Your next boot there takes it")


class FlavorAnswer(Answer):
    """A size that a server can have."""

    id = serializers.UUIDField(source="held.pk")
    provider_id = serializers.CharField(source="held.provider_id")
    name = serializers.CharField(source="held.name")
    cloud = serializers.CharField(source="held.account.cloud.name")
    project = serializers.CharField(source="held.account.project.name")
    cores = serializers.IntegerField(source="held.cores")
    ram = serializers.IntegerField(source="held.ram", help_text="MiB")
    disk = serializers.IntegerField(source="held.disk", help_text="GiB")
    is_default = serializers.BooleanField(help_text="Your next boot there takes it")


class NetworkAnswer(Answer):
    """A network that a server can be in."""

    id = serializers.UUIDField(source="held.pk")
    provider_id = serializers.CharField(source="held.provider_id")
    name = serializers.CharField(source="held.name")
    cloud = serializers.CharField(source="held.account.cloud.name")
    project = serializers.CharField(source="held.account.project.name")
    external = serializers.BooleanField(source="held.external")
    shared = serializers.BooleanField(source="held.shared")
    usable = serializers.BooleanField(source="held.usable", help_text="An ordinary server may be in it")
    subnets = serializers.ListField(
        source="held.subnets", child=serializers.CharField(), help_text="Address ranges, where the cloud tells them"
    )
    is_default = serializers.BooleanField(help_text="Your next boot there takes it")


class ImageWhole(ImageAnswer):
    """An image with its cloud's own document."""

    native = serializers.DictField(source="held.native")


class FlavorWhole(FlavorAnswer):
    """A flavor with its cloud's own document."""

    native = serializers.DictField(source="held.native")


class NetworkWhole(NetworkAnswer):
    """A network with its cloud's own document."""

    native = serializers.DictField(source="held.native")


class Catalogue(Lists):
    """Things that an account holds at its cloud."""

    permissions = {
        "list": SIGNED,
        "retrieve": "cloud.view",
    }
    model: ClassVar[type[Held]]
    whole: ClassVar[type[Answer]]
    seen: ClassVar[str] = "cloud.view"
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    filters = {"cloud": IN_CLOUD, "project": OF_PROJECT, "name": NAMED}
    searched = {"name": "name"}
    orders = {"name": "name", "cloud": "account__cloud__name"}
    ordering = "name"

    def records(self, request: Signed) -> QuerySet[Any]:
        return access.visible(self.model, request.user).defer("native", "native_hash")

    def facts(self, records: Sequence[Any]) -> Sequence[Any]:
        return services.held_facts(records, actor=self.request.user)

    def retrieve(self, request: Signed, id: uuid.UUID) -> Response:
        held = access.fetch(self.model, id, actor=request.user, permission=self.seen)
        return one(request, self.whole, self.facts([held])[0])


class Deleting(Answer):
    """A deletion that was taken down."""

    operation = OperationAnswer()


class ImagesRequest(Body):
    action = OneOf(["delete"])
    images = Texts(help_text="Ids")


def _own(actor: User, text: str) -> Q:
    if text not in ("true", "false"):
        raise Invalid(f"own is true or false, not {text[:40]!r}.", field="own")
    return Q(own=text == "true")


@extend_schema_view(retrieve=extend_schema(responses=ImageWhole))
class Images(Catalogue):
    """What servers can be made from."""

    model, whole = Image, ImageWhole
    serializer_class = ImageAnswer
    permissions = {**Catalogue.permissions, "destroy": "image.delete", "bulk": SIGNED}
    filters = {
        **Catalogue.filters,
        "state": one_of("state", [state.value for state in ImageState]),
        "own": Filter("Only those of the accounts themselves: true.", _own, ("true", "false")),
    }
    orders = {**Catalogue.orders, "size": "size"}

    @extend_schema(request=NOTHING, responses={202: Deleting})
    def destroy(self, request: Signed, id: uuid.UUID) -> Response:
        """Delete an image that its account has made."""
        return self._delete([access.fetch(Image, id, actor=request.user, permission="image.delete")])

    @extend_schema(request=ImagesRequest, responses={202: Deleting})
    @action(detail=False, methods=["post"])
    def bulk(self, request: Signed) -> Response:
        """Delete many images."""
        ids = ImagesRequest.parse(request)["images"]
        return self._delete([access.fetch(Image, id, actor=request.user, permission="image.delete") for id in ids])

    def _delete(self, images: Sequence[Image]) -> Response:
        return accepted(services.delete_images(actor=self.request.user, images=images))


@extend_schema_view(retrieve=extend_schema(responses=FlavorWhole))
class Flavors(Catalogue):
    """Sizes that servers can have."""

    model, whole = Flavor, FlavorWhole
    serializer_class = FlavorAnswer
    orders = {**Catalogue.orders, "ram": "ram", "cores": "cores", "disk": "disk"}


@extend_schema_view(retrieve=extend_schema(responses=NetworkWhole))
class Networks(Catalogue):
    """Networks that servers can be in."""

    model, whole = Network, NetworkWhole
    serializer_class = NetworkAnswer
