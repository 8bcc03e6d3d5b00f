from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_notice_unread'),
    ]

    operations = [
        migrations.AddField(
            model_name='sshkey',
            name='source',
            field=models.CharField(choices=[('local', 'Local'), ('ldap', 'Ldap')], db_default='local', default='local', max_length=8),
        ),
    ]
