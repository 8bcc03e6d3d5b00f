from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clouds", "0008_volumes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("image", "own", models.BooleanField(default=False)),
        migrations.AddField(
            "image",
            "owner",
            models.ForeignKey(
                null=True, on_delete=models.deletion.SET_NULL, related_name="%(class)ss", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
