"""The portal for show: believable, of all kinds, and made once."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from accounts.models import AccountState, User
from clouds.models import Server
from projects.models import Application, Policy, PolicyState, Project, ProjectState, Quota, Review, Span


@pytest.fixture(autouse=True)
def new_worlds(settings: LazySettings, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path


@pytest.mark.django_db(transaction=True)
def test_there_is_somebody_in_each_state_and_doing_it_again_changes_nothing() -> None:
    call_command("seed_demo", verbosity=0)
    assert User.objects.count() >= 40
    assert Project.objects.count() >= 12
    assert set(Project.objects.values_list("state", flat=True)) == set(ProjectState.values)
    states = set(User.objects.values_list("state", flat=True))
    assert states == set(AccountState.values) - {AccountState.APPROVED}
    assert set(Policy.objects.values_list("state", flat=True)) >= {
        PolicyState.DRAFT, PolicyState.PROPOSED, PolicyState.APPROVED
    }  # fmt: skip
    assert Review.objects.count() >= 10
    assert Server.objects.values("project").distinct().count() >= 4
    kinds = (User, Project, Application, Review, Policy, Quota, Server, Span)
    before = [model.objects.count() for model in kinds]
    assert all(before)
    call_command("seed_demo", verbosity=0)
    assert [model.objects.count() for model in kinds] == before


@pytest.mark.django_db
def test_a_hosted_portal_gets_no_made_up_people_by_mistake(settings: LazySettings) -> None:
    settings.STANDALONE = False
    with pytest.raises(CommandError, match="--yes"):
        call_command("seed_demo", verbosity=0)
    assert not User.objects.exists()
