"""What is sent to boot servers and to change them."""

from activity.api import Body, Flag, Named, OneOf, Text, Texts, Whole
from clouds import services
from operations.models import Patience


class BootRequest(Body):
    count = Whole(required=False, help_text="How many; 1 if not given")
    name = Text(required=False, help_text="A name or hostlist; handed out if not given")
    cloud = Text(required=False)
    image = Text(required=False)
    flavor = Text(required=False)
    key = Text(required=False)
    group = Text(required=False)
    network = Text(required=False)
    security_group = Text(required=False)
    prefix = Text(required=False, help_text="Of the names that are handed out")
    project = Text(required=False)
    floating_ip = Flag(required=False, help_text="With a public address")
    labels = Named(required=False, help_text="Words of one's own: text by text")
    if_down = OneOf(Patience.choices, required=False, help_text="What to do while the cloud does not answer")


class BulkRequest(Body):
    action = OneOf([*services.ACTIONS, "delete"])
    servers = Texts(help_text="Ids, names, hostlists or globs")
    project = Text(required=False, help_text="Only in this project")


class LabelRequest(Body):
    labels = Named(required=False, help_text="To be set")
    remove = Texts(required=False, help_text="Keys to be removed")


class LabelsRequest(LabelRequest):
    servers = Texts(help_text="Ids, names, hostlists or globs")
    project = Text(required=False, help_text="Only in this project")


class ResizeRequest(Body):
    flavor = Text()


class ResizesRequest(ResizeRequest):
    servers = Texts(help_text="Ids, names, hostlists or globs, of one cloud")
    project = Text(required=False, help_text="Only in this project")


class SnapshotRequest(Body):
    name = Text(required=False, help_text="Of the image; from the server's name and the time if not given")


class AddressRequest(Body):
    address = Text(required=False, help_text="One of the addresses that are reserved")


class RegroupRequest(Body):
    servers = Texts(help_text="Ids, names, hostlists or globs")
    group = Text(allow_blank=True, help_text="The group that they are in from now on; empty for none")
    project = Text(required=False, help_text="Only in this project")


class RenameRequest(Body):
    name = Text()


class LogRequest(Body):
    lines = Whole(required=False, help_text="The last so many; 100 if not given")
