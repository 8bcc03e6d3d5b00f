from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('projects', '0004_span_label'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='source',
            field=models.CharField(choices=[('local', 'Local'), ('ldap', 'Ldap')], db_default='local', default='local', max_length=8),
        ),
    ]
