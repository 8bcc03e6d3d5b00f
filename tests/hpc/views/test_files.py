"""Files that go with a job from its page, and come back."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from hpc.models import Cluster, Job
from hpc.services.experiments import LARGEST_INPUTS
from hpc.views.files import PART
from operations.models import Operation
from tests import factories
from tests.hpc.conftest import read_all

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def wish() -> Operation:
    return Operation.objects.latest("created_at")


def submit(web: Client, india: Cluster, **files: bytes) -> str:
    """Its page."""
    sent = [SimpleUploadedFile(f"{name}.csv", content) for name, content in files.items()]
    form = {"cluster": "india", "script": "echo one", "files": sent}
    page = str(web.post("/jobs/submit/", form, headers=HTMX).headers["HX-Redirect"])
    factories.run(wish().pk)
    read_all(india.scheduler)
    return page


def listing(web: Client, page: str, path: str = "") -> str:
    asked = web.post(f"{page}files/", {"path": path}, headers=HTMX).content.decode()
    assert f"operation:{wish().pk}" in asked
    factories.run(wish().pk)
    return web.get(f"/jobs/listings/{wish().pk}/").content.decode()


def test_what_is_uploaded_lies_in_the_directory_and_comes_back(web: Client, india: Cluster) -> None:
    content = bytes(range(256)) * 5000  # more than a part
    page = submit(web, india, data=content)
    assert "Show the files" in web.get(page).content.decode()
    there = listing(web, page)
    assert "data.csv" in there
    assert ".sh" in there
    parts: list[str] = []
    while len(parts) * PART < len(content):
        web.post(f"{page}fetch/", {"path": "data.csv", "parts": ",".join(parts)}, headers=HTMX)
        factories.run(wish().pk)
        place = web.get(f"/jobs/fetched/{wish().pk}/?parts={','.join(parts)}").content.decode()
        parts.append(str(wish().pk))
    assert "Save" in place
    saved = web.get(f"/jobs/data/{parts[-1]}/?parts={','.join(parts)}")
    assert saved.content == content
    assert saved.headers["Content-Disposition"] == 'attachment; filename="data.csv"'


def test_too_much_is_refused_at_its_field(web: Client, india: Cluster) -> None:
    large = SimpleUploadedFile("large.bin", b"x" * (LARGEST_INPUTS + 1))
    answer = web.post("/jobs/submit/", {"cluster": "india", "script": "true", "files": [large]}, headers=HTMX)
    assert (answer.status_code, json.loads(answer.content)["field"]) == (400, "files")
    assert not Job.objects.exists()


def test_no_path_leads_out(web: Client, india: Cluster) -> None:
    page = submit(web, india)
    for path in ("../..", "/etc/passwd"):
        assert "leads out" in web.post(f"{page}files/", {"path": path}, headers=HTMX).content.decode()
        assert "leads out" in web.post(f"{page}fetch/", {"path": path}, headers=HTMX).content.decode()


def test_what_was_read_is_for_the_reader_alone(
    web: Client, client: Client, india: Cluster, lead: User, stranger: User
) -> None:
    page = submit(web, india, data=b"1,2")
    web.post(f"{page}fetch/", {"path": "data.csv"}, headers=HTMX)
    reading = wish()
    factories.run(reading.pk)
    client.force_login(lead)
    assert client.get(f"/jobs/data/{reading.pk}/").status_code == 400
    client.force_login(stranger)
    assert client.get(f"/jobs/data/{reading.pk}/").status_code == 404
