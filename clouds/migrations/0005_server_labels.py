"""Labels of servers; those that are known already are read anew, though their clouds report nothing new."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget_hashes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("clouds", "Server").objects.exclude(native_hash="").update(native_hash="")


class Migration(migrations.Migration):
    dependencies = [("clouds", "0004_open_spans")]

    operations = [
        migrations.AddField("server", "labels", models.JSONField(default=dict)),
        migrations.RunPython(forget_hashes, migrations.RunPython.noop),
    ]
