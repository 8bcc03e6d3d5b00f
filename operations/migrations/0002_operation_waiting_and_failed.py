from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(
                fields=["created_at"], condition=models.Q(state="waiting_approval"), name="operation_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(fields=["finished_at"], condition=models.Q(state="failed"), name="operation_failed"),
        ),
    ]
