from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('projects', '0002_committee_policies_usage'),
    ]

    operations = [
        migrations.AddField(
            model_name='application',
            name='round',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='review',
            name='vote',
            field=models.CharField(choices=[('approve', 'Approve'), ('deny', 'Deny'), ('change', 'Ask for changes'), ('abstain', 'Abstain'), ('conflict', 'Conflict of interest')], max_length=8),
        ),
    ]
