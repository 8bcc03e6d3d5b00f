import pytest
from django.core.cache import cache
from django.db import connection


@pytest.mark.django_db
def test_the_role_of_the_application_is_no_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)
    cache.set("a", 1)
    assert cache.get("a") == 1
