"""One settings file; everything that differs between two portals comes from the environment.

See docs/reference/settings.md for each variable; `manage.py check` names what is missing or wrong.
"""

import os
import pathlib
import urllib.parse
from typing import Any

from csp.constants import NONE, SELF
from psycopg import IsolationLevel

from cloudmesh.types import ImageState, JobState, NodeState, QueueState, ServerState, VolumeState

BASE_DIR = pathlib.Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    return os.environ.get(f"CLOUDMESH_{name}", default)


def database(url: str) -> dict[str, Any]:
    """Django's settings for a `postgresql://user:password@host:port/name?host=/socket/folder` URL."""
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": urllib.parse.unquote(parts.path.lstrip("/")),
        "USER": urllib.parse.unquote(parts.username or ""),
        "PASSWORD": urllib.parse.unquote(parts.password or ""),
        "HOST": query.pop("host", "") or parts.hostname or "",
        "PORT": str(query.pop("port", "") or parts.port or ""),
        "OPTIONS": query,
    }


def broker(url: str) -> str:
    """Kombu's spelling of a Redis URL: it names Unix sockets differently from redis-py."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = dict(urllib.parse.parse_qsl(parts.query)).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={number}"


STANDALONE = env("STANDALONE") == "1"
DEBUG = env("DEBUG") == "1"
SECRET_KEY = env("SECRET_KEY")
CLOUDMESH_KEYS = env("KEYS")
CLOUDMESH_URL = env("URL", "http://127.0.0.1:8000")
STATE_DIR = pathlib.Path(env("STATE_DIR", str(BASE_DIR / "var")))
PROGRAM_PASSWORDS = env("PROGRAM_PASSWORDS", "1") == "1"  # whether `cm login --user` may send one
PORTAL_NAME = env("NAME", "Cloudmesh")
PROVIDER_TIMEOUT = float(env("PROVIDER_TIMEOUT", "20"))  # seconds for one request to a provider
OPERATION_LEASE = float(env("OPERATION_LEASE", "15"))  # seconds a worker may be silent before its work is taken over
SWEEP_INTERVAL = float(env("SWEEP_INTERVAL", "5"))  # seconds
COMMITTEE_QUORUM = int(env("COMMITTEE_QUORUM", "1" if STANDALONE else "2"))  # votes that approve an application
PROJECT_WEEKS = int(env("PROJECT_WEEKS", "24"))  # that a new project runs, unless granted otherwise
SYNC_TICK = float(env("SYNC_TICK", "2"))  # seconds between looks at what is due

_PUBLIC = urllib.parse.urlsplit(CLOUDMESH_URL)
ALLOWED_HOSTS = [host for host in env("ALLOWED_HOSTS").split(",") if host] or [
    _PUBLIC.hostname or "localhost",
    "localhost",
    "127.0.0.1",
    "[::1]",
]
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"]

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "clouds",
    "hpc",
    "operations",
    "projects",
    "accounts",
    "activity",
    "portal.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "django_celery_beat",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "portal.api.fresh",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.backends.sessions.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "projects.views.impersonation.acting",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.views.agreed",
    "portal.views.problems",
    "portal.views.numbered",
    "portal.api.once.once",
    "portal.api.preferences.told",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.views.chrome",
            ],
            "builtins": ["portal.templatetags.cloudmesh"],
        },
    }
]

# A pool serves the web's short requests; workers keep one connection a thread, since Celery closes pools.
# Whoever is silent in the middle of a transaction, stopped or cut off, must not hold its locks against all others.
DATABASES = {"default": database(os.environ.get("DATABASE_URL", ""))}
DATABASES["default"]["OPTIONS"] = {
    "options": f"-c idle_in_transaction_session_timeout={2000 * OPERATION_LEASE:.0f}",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "isolation_level": IsolationLevel.READ_COMMITTED,  # what was waited for under a lock has to be seen
} | DATABASES["default"]["OPTIONS"]
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # no connection from before a restart of PostgreSQL
if env("ROLE") == "web":
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 2, "max_size": 12, "timeout": 10}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 300

REDIS_URL = os.environ.get("REDIS_URL", "")
CACHES = {"default": {"BACKEND": "portal.cache.Cache", "LOCATION": REDIS_URL}}

# `smtp://user:password@host:port`, with STARTTLS on port 587 or by `?tls=on`; `smtps://…`; or `file:/folder`.
_MAIL = urllib.parse.urlsplit(env("MAIL_URL", "file:"))
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _MAIL.scheme.startswith('smtp') else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = _MAIL.path or str(STATE_DIR / "mail")
EMAIL_HOST = _MAIL.hostname or "localhost"
EMAIL_PORT = _MAIL.port or (465 if _MAIL.scheme == "smtps" else 25)
EMAIL_HOST_USER = urllib.parse.unquote(_MAIL.username or "")
EMAIL_HOST_PASSWORD = urllib.parse.unquote(_MAIL.password or "")
EMAIL_USE_SSL = _MAIL.scheme == "smtps"
EMAIL_USE_TLS = _MAIL.scheme == "smtp" and (EMAIL_PORT == 587 or _MAIL.query == "tls=on")
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env("MAIL_FROM", f"{PORTAL_NAME} <cloudmesh@{_PUBLIC.hostname or 'localhost'}>")

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
CLOUDMESH_LDAP = env("LDAP")  # the file that says which directory people sign in with
CLOUDMESH_LDAP_PASSWORD = env("LDAP_PASSWORD")
AUTHENTICATION_BACKENDS = ["accounts.backends.LocalBackend"]
if CLOUDMESH_LDAP:
    AUTHENTICATION_BACKENDS.append("accounts.backends.ldap.backend.LdapBackend")
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "portal:login"
LOGIN_REDIRECT_URL = "portal:dashboard"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["portal.formats"]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env("STATIC_ROOT") or None  # where `collectstatic` puts them for a web server of its own
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env("BEHIND_PROXY") == "1" else None
SECURE_HSTS_SECONDS = 31_536_000 if _PUBLIC.scheme == "https" else 0
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _PUBLIC.scheme == "https"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Two portals on one host name must not end each other's sessions.
SESSION_COOKIE_NAME = f"cloudmesh-session-{_PUBLIC.port or _PUBLIC.scheme}"
CSRF_COOKIE_NAME = f"cloudmesh-csrf-{_PUBLIC.port or _PUBLIC.scheme}"
SESSION_ENGINE = "accounts.backends.sessions"  # no cache: what was ended stays ended
CSRF_FAILURE_VIEW = "portal.views.forged"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4_500_000  # with the files of a job as base64
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.backends.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.backends.ScopedPermission"],
    "DEFAULT_RENDERER_CLASSES": ["portal.api.JSON"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.JSONBody"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "portal.api.paging.Paging",
    "DEFAULT_METADATA_CLASS": None,  # the schema says it all
    "EXCEPTION_HANDLER": "portal.api.problems.problem",
    "DEFAULT_THROTTLE_RATES": {"login": "10/min"},
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Cloudmesh Portal",
    "DESCRIPTION": "One API over many clouds, queues and machines.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ServerState": [state.value for state in ServerState],
        "VolumeState": [state.value for state in VolumeState],
        "ImageState": [state.value for state in ImageState],
        "OperationState": "operations.models.OperationState",
        "CloudState": "operations.models.CredentialState",
        "JobState": [state.value for state in JobState],
        "QueueState": [state.value for state in QueueState],
        "NodeState": [state.value for state in NodeState],
        "Way": "hpc.models.Way",
        "AccountState": "accounts.models.AccountState",
        "InstitutionRole": "accounts.models.InstitutionRole",
        "ProjectState": "projects.models.ProjectState",
        "Role": "projects.models.Role",
        "WorkingRole": ["lead", "manager", "member"],
        "ApplicationState": "projects.models.ApplicationState",
        "ApplicationKind": "projects.models.ApplicationKind",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "portal.api.schema.complete"],
}

CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_PUBLISH_RETRY = False  # the sweep rings again; a page does not wait for the broker
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "max_retries": 0,  # of a connection to publish with: a page does not wait for the broker
    "visibility_timeout": 3600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "socket_connect_timeout": 2,
    "socket_keepalive": not REDIS_URL.startswith("unix:"),
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "operations.tasks.sweep", "schedule": SWEEP_INTERVAL, "options": {"expires": SWEEP_INTERVAL}},
    "expiry": {"task": "accounts.tasks.expire_accounts", "schedule": 600.0, "options": {"expires": 600}},
    "signing-in": {"task": "accounts.tasks.sweep_signing_in", "schedule": 20.0, "options": {"expires": 20}},
    "mail": {"task": "accounts.tasks.sweep_mails", "schedule": 30.0, "options": {"expires": 30}},
    "notices": {"task": "accounts.tasks.mail_notices", "schedule": 15.0, "options": {"expires": 15}},
    "webhooks": {"task": "projects.tasks.sweep_webhooks", "schedule": SYNC_TICK, "options": {"expires": SYNC_TICK}},
    "project-ends": {"task": "projects.tasks.ends.end_projects", "schedule": 600, "options": {"expires": 600}},
    "sync": {"task": "clouds.tasks.sync_due", "schedule": SYNC_TICK, "options": {"expires": SYNC_TICK}},
    "readings": {"task": "hpc.tasks.forget_readings", "schedule": 600.0, "options": {"expires": 600}},
    "hpc": {"task": "hpc.tasks.sync_due", "schedule": SYNC_TICK, "options": {"expires": SYNC_TICK}},
}
if CLOUDMESH_LDAP:
    CELERY_IMPORTS = ["accounts.tasks.directory"]  # by name: without a directory no process loads ldap3
    CELERY_BEAT_SCHEDULE["directory"] = {
        "task": "accounts.tasks.sync_directory",
        "schedule": 900,
        "options": {"expires": 900},
    }
CELERY_BEAT_MAX_LOOP_INTERVAL = 2

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
