"""Templates: typed parameters that cannot become code, and locks that hold."""

import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from cloudmesh.errors import Invalid, NotAllowed
from hpc import services
from hpc.models import Template
from hpc.services.templates import filled_script
from projects.models import Project

pytestmark = pytest.mark.django_db
SCRIPT = '#!/bin/sh\n#SBATCH --mail-type=END\necho "$input"\n'


@pytest.fixture
def template(lead: User, project: Project) -> Template:
    return services.save_template(
        actor=lead, project=project, name="echo", script=SCRIPT,
        parameters=[
            {"name": "input", "type": "text", "default": "hello", "label": "What to say"},
            {"name": "steps", "type": "integer", "default": 10, "least": 1, "most": 100},
            {"name": "mode", "type": "choice", "choices": ["fast", "slow"], "default": "fast"},
        ],
        wanted={"queue": "batch", "walltime": 600}, locked=["queue", "mode"],
    )  # fmt: skip


def fill(template: Template, actor: User, **values: Any) -> services.Filled:
    return services.fill_template(actor=actor, template=template, values=values)


def test_directives_stay_above_the_parameters(template: Template, member: User) -> None:
    filled = fill(template, member, steps=20)
    assert filled.script.split("\n")[:5] == [
        "#!/bin/sh",
        "#SBATCH --mail-type=END",
        "export input=hello",
        "export steps=20",
        "export mode=fast",
    ]
    assert filled.wanted == {"queue": "batch", "walltime": 600}


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=200))
def test_a_value_is_never_code(text: str) -> None:
    template = Template(name="echo", script=SCRIPT, parameters=[{"name": "input", "type": "text", "required": False}])
    script = filled_script(template, {"input": text})
    ended = subprocess.run(["sh"], input=script.encode(), capture_output=True, timeout=20)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"steps": 0}, "from 1 to 100"),
        ({"steps": "many"}, "a whole number"),
        ({"setps": 3}, "Did you mean steps"),
        ({"input": "x" * 5000}, "at most 4096"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(template: Template, member: User, values: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words) as error:
        fill(template, member, **values)
    assert error.value.facts["field"] in values


def test_what_is_locked_stays(template: Template, member: User, lead: User, project: Project) -> None:
    with pytest.raises(NotAllowed, match="mode is locked"):
        fill(template, member, mode="slow")
    with pytest.raises(NotAllowed, match="queue is locked"):
        services.fill_template(actor=member, template=template, wanted={"queue": "long"})
    with pytest.raises(NotAllowed):
        services.save_template(actor=member, project=project, name="echo", script=SCRIPT)
    mine = services.save_template(actor=member, project=project, name="mine", script=SCRIPT)
    assert mine.owner == member
    with pytest.raises(NotAllowed):
        services.save_template(actor=member, project=project, name="other", script=SCRIPT, locked=["queue"])
    services.delete_template(actor=member, template=mine)


def test_a_stranger_sees_no_template(template: Template, stranger: User) -> None:
    with pytest.raises(NotAllowed):
        fill(template, stranger)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"parameters": [{"name": "1st"}]}, "cannot be a parameter"),
        ({"parameters": [{"name": "x", "type": "numbr"}]}, "Did you mean number"),
        ({"parameters": [{"name": "x", "type": "choice"}]}, "no choices"),
        ({"parameters": [{"name": "x", "type": "integer", "default": "a"}]}, "a whole number"),
        ({"wanted": {"wlltime": 5}}, "not 'wlltime'"),
        ({"script": " "}, "has a script"),
        ({"name": "Big Job"}, "cannot be a template's name"),
    ],
)
def test_what_makes_no_sense_is_not_saved(lead: User, project: Project, facts: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        services.save_template(**{"actor": lead, "project": project, "name": "x", "script": SCRIPT, **facts})
