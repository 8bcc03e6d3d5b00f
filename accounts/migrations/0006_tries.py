import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0005_ssh_key_source"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tries",
            fields=[
                ("key", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("wrong", models.PositiveSmallIntegerField(default=0)),
                ("tried_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("locked_until", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "tries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("locked_until__isnull", False), ("told_at", None)),
                        fields=["locked_until"],
                        name="tries_to_tell",
                    )
                ],
            },
        ),
    ]
