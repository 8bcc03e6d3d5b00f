#!/usr/bin/env python
"""Django's door to the portal."""

import os
import sys

from django.core.management import execute_from_command_line

from portal.standalone import environment

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    environment.adopt(sys.argv[1:])
    execute_from_command_line(sys.argv)
