from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_application_rounds")]

    operations = [
        migrations.AddField(
            model_name="span",
            name="label",
            field=models.CharField(blank=True, max_length=255),
        ),
    ]
