"""Counters count for a pattern instead of a prefix; defaults of the portal can be for one cloud."""

from django.conf import settings
from django.db import migrations, models

PATTERNS = "UPDATE clouds_namecounter SET pattern = pattern || '_{number}'"
PREFIXES = "UPDATE clouds_namecounter SET pattern = replace(pattern, '_{number}', '')"
#: They were kept by name; without one the newest server is the last.
FORGET_LAST = "DELETE FROM clouds_default WHERE key = 'last_server'"
KEYS = ["cloud", "image", "flavor", "key", "network", "security_group", "login", "group", "prefix", "schema", "width", "format", "last_server"]


class Migration(migrations.Migration):
    dependencies = [
        ("clouds", "0006_networks"),
        ("projects", "0005_membership_source"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.RemoveConstraint(model_name="namecounter", name="counter_once"),
        migrations.RenameField(model_name="namecounter", old_name="prefix", new_name="pattern"),
        migrations.AlterField(model_name="namecounter", name="pattern", field=models.CharField(max_length=255)),
        migrations.RunSQL(PATTERNS, PREFIXES),
        migrations.AddConstraint(
            model_name="namecounter",
            constraint=models.UniqueConstraint(fields=["project", "pattern"], name="counter_once"),
        ),
        migrations.RunSQL(FORGET_LAST, FORGET_LAST),
        migrations.RemoveConstraint(model_name="default", name="default_once"),
        migrations.AddField(model_name="default", name="cloud", field=models.CharField(blank=True, max_length=40, default=""), preserve_default=False),
        migrations.AlterField(
            model_name="default",
            name="key",
            field=models.CharField(choices=[(key, key.replace("_", " ").title()) for key in KEYS], max_length=16),
        ),
        migrations.AddConstraint(
            model_name="default",
            constraint=models.UniqueConstraint(
                fields=["user", "project", "account", "cloud", "key"], nulls_distinct=False, name="default_once"
            ),
        ),
    ]
