"""`cm project`: where one works, and with whom."""

import click

from cloudmesh.client import Client
from cloudmesh.shell import talk
from cloudmesh.shell.options import Show, listing, pass_client, sure

ROLES = ("lead", "manager", "member", "alumni")

of_project = click.option("--project", default="", help="Of this project; of your default one if not said.")
people = listing("user", "name", "role", "joined:joined_at")
invited = listing("to:email", "role", "uses:uses_left", "until:expires_at", "by:invited_by", "id")


@click.group()
def project() -> None:
    """Projects: list, show, use, join; their members and invitations."""


@project.command("list")
@click.option("--open", "is_open", is_flag=True, help="Those that you may ask to join.")
@click.option("--state", help="Only in this state, such as active or expired.")
@listing("project:name", "title", "state", "role", "default:is_default", "ends:ends_at")
@pass_client
def list_(client: Client, show: Show, is_open: bool, state: str | None) -> None:
    """List your projects."""
    show(client.projects(joinable="true" if is_open else None, state=state), empty="No projects.")


@project.command("show")
@click.argument("name", default="")
@listing(
    *("id", "project:name", "title", "state", "reason:state_reason", "role", "default:is_default"),
    *("join_open", "ends:ends_at", "created:created_at"),
)
@pass_client
def show_(client: Client, show: Show, name: str) -> None:
    """Show a project; without NAME your default one."""
    show.one(client.project(name))


@project.command()
@click.argument("name")
@pass_client
def use(client: Client, name: str) -> None:
    """Work in a project from now on, unless a command says otherwise."""
    talk.say(f"You work in {client.use_project(name)['name']} now.")


@project.command()
@click.argument("name")
@click.option("--text", default="", help="Who you are, and what you want to do there.")
@pass_client
def join(client: Client, name: str, text: str) -> None:
    """Ask the leaders of a project to let you in; see: cm project list --open."""
    client.ask_to_join(name, text)
    talk.say(f"The leaders of {name} are asked.")


@project.command()
@click.argument("email", required=False)
@click.option("--link", is_flag=True, help="Make a link that lets several people in, instead of mailing one person.")
@click.option("--role", type=click.Choice(ROLES[:3]), help="Of who is invited by mail; member if not said.")
@click.option("--uses", type=int, help="Of a link: for how many people.")
@click.option("--days", type=int, help="How long it is good for.")
@of_project
@pass_client
def invite(
    client: Client, project: str, email: str | None, link: bool, role: str | None, uses: int | None, days: int | None
) -> None:
    """Invite somebody by e-mail, or with --link make a link to give around.

    \b
    cm project invite ada@example.org --role manager
    cm project invite --link --uses 30 --days 7
    """
    if bool(email) == link:
        raise click.UsageError("Say either an e-mail address or --link.")
    made = client.invite(client.project(project), email=email, role=role, uses=uses, days=days)
    if link:
        click.echo(made["link"])
        talk.say(f"Good for {made['uses_left']} until {made['expires_at'][:10]}; it is shown this once.")
    else:
        talk.say(f"An invitation is on its way to {made['email']}.")


@project.command()
@of_project
@invited
@pass_client
def invitations(client: Client, show: Show, project: str) -> None:
    """List the open invitations."""
    show(client.invitations(client.project(project)), empty="No open invitations.")


@project.group()
def member() -> None:
    """The members of a project: list, add, remove, role."""


@member.command("list")
@of_project
@click.option("--role", type=click.Choice(ROLES), help="Only of this role.")
@people
@pass_client
def list_members(client: Client, show: Show, project: str, role: str | None) -> None:
    """List the members."""
    show(client.members(client.project(project), role=role), empty="No members.")


@member.command()
@click.argument("user")
@click.option("--role", type=click.Choice(ROLES), help="member if not said.")
@of_project
@people
@pass_client
def add(client: Client, show: Show, project: str, user: str, role: str | None) -> None:
    """Add USER, who has an account; others are invited: cm project invite."""
    show.one(client.add_member(client.project(project), user, role))


@member.command()
@click.argument("user")
@of_project
@sure
@pass_client
def remove(client: Client, project: str, user: str, yes: bool) -> None:
    """Take USER out; their tokens and waiting wishes in the project end at once."""
    place = client.project(project)
    if not yes:
        talk.confirm(f"Remove {user} from {place['name']}?")
    client.remove_member(place, user)


@member.command()
@click.argument("user")
@click.argument("role", type=click.Choice(ROLES))
@of_project
@people
@pass_client
def role(client: Client, show: Show, project: str, user: str, role: str) -> None:
    """Make USER lead, manager, member or alumni."""
    show.one(client.change_role(client.project(project), user, role))
