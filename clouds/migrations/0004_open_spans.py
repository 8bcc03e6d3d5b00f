"""What the servers take that are there already: from their last change on, as if it had been accounted then."""

from django.db import migrations

OPEN = """
INSERT INTO projects_span (project_id, user_id, scope, label, object_id, cores, ram, disk, nodes, begins_at)
SELECT * FROM (
    SELECT server.project_id, server.owner_id, 'cloud:' || server.account_id, cloud.name, server.id,
           CASE WHEN server.state IN ('building', 'active', 'paused', 'rescued') THEN server.cores ELSE 0 END AS cores,
           CASE WHEN server.state IN ('building', 'active', 'paused', 'rescued') THEN server.ram ELSE 0 END AS ram,
           coalesce((
               SELECT disk FROM clouds_flavor AS size
               WHERE size.account_id = server.account_id AND server.flavor IN (size.provider_id, size.name)
               ORDER BY size.provider_id = server.flavor DESC LIMIT 1
           ), 0) AS disk,
           0 AS nodes, server.changed_at
    FROM clouds_server AS server
    JOIN clouds_cloudaccount AS account ON account.id = server.account_id
    JOIN clouds_cloud AS cloud ON cloud.id = account.cloud_id
    WHERE server.state IN ('building', 'active', 'paused', 'rescued')
       OR server.state IN ('stopped', 'suspended', 'error') AND server.provider_id <> ''
) AS taken WHERE cores + ram + disk > 0
"""


class Migration(migrations.Migration):
    dependencies = [("clouds", "0003_server_newest"), ("projects", "0004_span_label")]

    operations = [migrations.RunSQL(OPEN, migrations.RunSQL.noop)]
