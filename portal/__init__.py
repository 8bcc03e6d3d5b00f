"""The composition: the only package that knows every app."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
