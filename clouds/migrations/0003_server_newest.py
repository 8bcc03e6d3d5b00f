from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clouds', '0002_server_moving'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='server',
            index=models.Index(condition=models.Q(('state', 'deleted'), _negated=True), fields=['-created_at', '-id'], name='server_newest'),
        ),
    ]
