"""Images and flavors of all clouds, and which of them the next server gets."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.models import User
from activity.views import SIGNED, needs
from cloudmesh.types import ImageState
from clouds import services
from clouds.models import Flavor, Image
from clouds.views.servers import cloud_filter
from operations.views import accepted
from projects import access
from projects.views import Filter, Listing, Signed, dress


class Catalogue(Listing):
    """What clouds offer."""

    words = ("name", "provider_id")
    usual: ClassVar[Sequence[str]] = ("account__cloud__name", "name", "pk")

    def filters(self) -> Iterable[Filter]:
        yield cloud_filter(self.request.user)

    def records(self) -> QuerySet[Any]:
        return super().records().defer("native")

    def rows(self, records: list[Any]) -> list[Any]:
        """With which is the default on its cloud, and whether it can be made so where one works now."""
        here = {place.pk for place in access.workplaces(self.request.user)[:1]}
        return [
            dress(
                facts.held,
                is_default=facts.is_default,
                may_default=facts.held.account.project_id in here,
                may_delete=may_delete(self.request.user, facts.held),
            )
            for facts in services.held_facts(records, actor=self.request.user)
        ]


@needs(SIGNED)
class ImageList(Catalogue):
    model = Image
    template_name = "clouds/image_list.html"
    name = "images"
    orders = {"name": ["name"], "cloud": ["account__cloud__name"]}

    def records(self) -> QuerySet[Any]:
        return super().records().exclude(state=ImageState.DELETED)


@needs(SIGNED)
class FlavorList(Catalogue):
    model = Flavor
    template_name = "clouds/flavor_list.html"
    name = "flavors"
    orders = {
        "name": ["name"],
        "cloud": ["account__cloud__name"],
        "cores": ["cores", "ram"],
        "ram": ["ram", "cores"],
        "disk": ["disk", "ram"],
    }
    usual = ("account__cloud__name", "ram", "cores", "pk")


def may_delete(actor: User, held: Any) -> bool:
    """Whether this is an image that `actor` may delete."""
    if not getattr(held, "own", False):
        return False
    return not access.why_not(actor, "image.delete", held.account.project, owner_id=held.owner_id)


@needs("image.delete")
@require_POST
def image_delete(request: Signed, pk: uuid.UUID) -> HttpResponse:
    """Ask that an image of one's own is deleted."""
    image = access.fetch(Image, pk, actor=request.user, permission="image.delete")
    operation = services.delete_images(actor=request.user, images=[image])
    title = f"Deleting the image {image}"
    return accepted(request, operation, title, back=reverse("clouds:image-list"), detail=f"on {image.account}")
