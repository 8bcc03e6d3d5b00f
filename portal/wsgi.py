"""HTTP, under any WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ.setdefault("CLOUDMESH_ROLE", "web")

application = get_wsgi_application()
