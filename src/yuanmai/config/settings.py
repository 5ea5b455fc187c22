"""Django settings, all of them read from the environment with defaults for one park on one machine.

``docs/configuration.md`` lists every variable. ``DATABASE_URL`` chooses SQLite (default) or PostgreSQL.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from yuanmai.config.home import data_home, flag, secret_key

django_stubs_ext.monkeypatch()

PACKAGE = Path(__file__).resolve().parent.parent
HOME = data_home()
SECRET_KEY = secret_key(HOME)
DEBUG = flag("YUANMAI_DEBUG")
DEMO = flag("YUANMAI_DEMO")
ALLOWED_HOSTS = [
    h for h in os.environ.get("YUANMAI_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if h
]
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("YUANMAI_TRUSTED_ORIGINS", "").split(",") if o]
BASE_URL = os.environ.get("YUANMAI_BASE_URL", "http://127.0.0.1:8000")

INSTALLED_APPS = [
    "yuanmai.core",
    "yuanmai.people",
    "yuanmai.places",
    "yuanmai.enterprises",
    "yuanmai.projects",
    "yuanmai.funds",
    "yuanmai.devices",
    "yuanmai.cockpit",
    "yuanmai.demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_cotton",
    "django_htmx",
    "django_filters",
    "django_tables2",
    "django_vite",
    "django_tasks",
    "django_tasks_db",
    "csp",
    "axes",
    "treebeard",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "yuanmai.core.web.metrics.MetricsMiddleware",
    "yuanmai.core.web.errors.RequestIdMiddleware",
    "yuanmai.core.web.headers.HeadersMiddleware",
    "yuanmai.config.middleware.ApiProblems",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "yuanmai.devices.live.address.LiveOrigin",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "yuanmai.core.web.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "yuanmai.people.middleware.ActorMiddleware",
    "yuanmai.config.middleware.ApiTokens",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "yuanmai.config.urls"
WSGI_APPLICATION = "yuanmai.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.i18n",
                "yuanmai.core.templatetags.ui",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "yuanmai.core.web.context.page",
                "yuanmai.devices.live.address.context",
            ],
        },
    }
]

# --- Database -----------------------------------------------------------------------------------------------------------

DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{HOME / 'yuanmai.sqlite3'}"
_database: dict[str, Any] = dict(dj_database_url.parse(DATABASE_URL))
if _database["ENGINE"].endswith("sqlite3"):
    # A connection that closes takes its page cache along, and the last one to close also writes the whole log back.
    _database["CONN_MAX_AGE"] = 60
    # IMMEDIATE: a transaction that will write takes its lock at the start and waits, instead of failing halfway.
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
            " PRAGMA mmap_size=268435456; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
            " PRAGMA journal_size_limit=67108864;"
        ),
    }
else:
    # psycopg's own pool keeps connections; Django's persistent ones would sit idle beside it.
    _database["CONN_MAX_AGE"] = 0
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": int(os.environ.get("YUANMAI_DB_POOL", "8")), "timeout": 10},
    }
    # Compiling a plan costs more than any page's query saves; and with nine tables joined along their keys, trying every
    # order of them costs ten times what the query does. Options given in the address win.
    _given = _database["OPTIONS"].get("options", "")
    _database["OPTIONS"]["options"] = f"-c jit=off -c join_collapse_limit=6 {_given}".strip()
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The server's command makes a folder for each of its runs (config.commands.share_cache); everything else has its own memory.
_shared = os.environ.get("YUANMAI_SHARED_CACHE", "")
CACHES = {
    "default": {
        "BACKEND": "yuanmai.core.web.shared_cache.SharedCache"
        if _shared
        else "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": _shared,
        "OPTIONS": {"MAX_ENTRIES": 5000},
        "TIMEOUT": 600,
    },
    # Written parts of pages, tens of kilobytes each: few, and in the memory of each process only.
    "fragments": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "fragments",
        "OPTIONS": {"MAX_ENTRIES": 400},
        "TIMEOUT": 600,
    },
}

# --- Language and time --------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LANGUAGE_COOKIE_NAME = "yuanmai_language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("YUANMAI_TIME_ZONE", "Asia/Shanghai")
# Parts of rooms with a catalogue of their own; rooms are found by themselves.
LOCALE_PATHS = [
    *sorted(PACKAGE.glob("*/*/locale")),
    PACKAGE / "config" / "locale",
    PACKAGE / "gateway" / "locale",
]
FORMAT_MODULE_PATH = ["yuanmai.config.formats"]

# --- Static files -------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
ASSETS = PACKAGE / "assets"
STATICFILES_DIRS = [ASSETS] if ASSETS.is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
# Vite writes hashed names: they may be kept for ever.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+[.-][0-9a-zA-Z_-]{8,}\.(js|css|woff2?|svg|png|ttf)$"
DJANGO_VITE = {"default": {"dev_mode": False, "manifest_path": ASSETS / "manifest.json"}}

# --- Identity -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "yuanmai.people.backends.PasswordBackend",
    "yuanmai.people.backends.SignInBackend",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

# The password profile: `dengbao3` (complexity and rotation, the default in China) or `asvs` (length and breach list).
PASSWORD_PROFILE = os.environ.get("YUANMAI_PASSWORD_PROFILE", "dengbao3")
PASSWORD_ROTATION_DAYS = int(os.environ.get("YUANMAI_PASSWORD_ROTATION_DAYS", "90"))
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "yuanmai.people.passwords.ProfileValidator"},
    {"NAME": "yuanmai.people.passwords.HistoryValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

SESSION_IDLE = timedelta(minutes=int(os.environ.get("YUANMAI_SESSION_IDLE_MINUTES", "30")))
SESSION_ABSOLUTE = timedelta(hours=int(os.environ.get("YUANMAI_SESSION_HOURS", "12")))
SESSION_COOKIE_AGE = int(SESSION_ABSOLUTE.total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
CSRF_COOKIE_SAMESITE = "Lax"

HTTPS = flag("YUANMAI_HTTPS", BASE_URL.startswith("https://"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("YUANMAI_BEHIND_PROXY") else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

AXES_FAILURE_LIMIT = int(os.environ.get("YUANMAI_LOCKOUT_FAILURES", "5"))
AXES_COOLOFF_TIME = timedelta(minutes=int(os.environ.get("YUANMAI_LOCKOUT_MINUTES", "30")))
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
# Knocking at a locked account does not lock it longer: else anybody could keep anybody out for ever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_FORM_FIELD = "login"
AXES_USERNAME_CALLABLE = "yuanmai.people.lockout.account_tried"
AXES_CLIENT_IP_CALLABLE = "yuanmai.people.addresses.client_address"
AXES_LOCKOUT_CALLABLE = "yuanmai.people.lockout.locked_out"
AXES_SENSITIVE_PARAMETERS: list[str] = ["password"]
AXES_VERBOSE = False

ACCOUNT_ADAPTER = "yuanmai.people.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "yuanmai.people.adapters.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# Guessing one account is stopped by the lock-out above; these stop one address from guessing at many.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "30/m/ip,10/300s/key",
    "change_password": "10/m/user",
}
# Mail is sent where a server is named; without one nothing is offered by mail.
EMAIL_HOST = os.environ.get("YUANMAI_EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("YUANMAI_EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("YUANMAI_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("YUANMAI_EMAIL_PASSWORD", "")
EMAIL_USE_TLS = os.environ.get("YUANMAI_EMAIL_SECURITY", "") == "starttls"
EMAIL_USE_SSL = os.environ.get("YUANMAI_EMAIL_SECURITY", "") == "tls"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("YUANMAI_EMAIL_FROM", "yuanmai@localhost")
MFA_FORMS = {
    "authenticate": "yuanmai.people.forms.SecondFactorForm",
    "reauthenticate": "yuanmai.people.forms.SecondFactorAgainForm",
}
USERSESSIONS_TRACK_ACTIVITY = False  # people.sessions does it once a minute instead of at every request
MFA_ADAPTER = "yuanmai.people.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Yuanmai"
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # WebAuthn itself allows http only on localhost
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
OIDC_CLAIM = os.environ.get("YUANMAI_OIDC_CLAIM", "preferred_username")
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_ONLY = False
if _issuer := os.environ.get("YUANMAI_OIDC_ISSUER"):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": os.environ.get("YUANMAI_OIDC_NAME", "OIDC"),
                "client_id": os.environ.get("YUANMAI_OIDC_CLIENT_ID", ""),
                "secret": os.environ.get("YUANMAI_OIDC_CLIENT_SECRET", ""),
                "settings": {"server_url": _issuer, "fetch_userinfo": True},
            }
        ],
    }

# Everything comes from this host; not one exception for inline code or outside addresses.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF, *([os.environ["YUANMAI_OIDC_ISSUER"]] if _issuer else [])],
        "frame-ancestors": [NONE],
    }
}

# --- Work, files, logs --------------------------------------------------------------------------------------------------

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
JOB_DEAD_AFTER = int(os.environ.get("YUANMAI_JOB_DEAD_AFTER", "120"))  # seconds without a sign of life
MEDIA_ROOT = HOME / "files"  # never served by path: files go out through views that ask for permission
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20000
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640
API_RATE_PER_MINUTE = int(os.environ.get("YUANMAI_API_RATE_PER_MINUTE", "1200"))  # per user and web process
METRICS_TOKEN = os.environ.get(
    "YUANMAI_METRICS_TOKEN", ""
)  # without one, only this machine may read /metrics
API_BAD_TOKENS_PER_MINUTE = 30  # per network address
# What identifiers of exported projects begin with; the default is not in the register of project identifier prefixes.
OC4IDS_PREFIX = os.environ.get("YUANMAI_OC4IDS_PREFIX", "oc4ids-000000")
ATTACHMENT_MAX_BYTES = int(os.environ.get("YUANMAI_ATTACHMENT_MAX_MB", "50")) * 1024 * 1024
IMPORT_MAX_BYTES = int(os.environ.get("YUANMAI_IMPORT_MAX_MB", "100")) * 1024 * 1024

# --- Devices --------------------------------------------------------------------------------------------------------------

# Each gateway and each web process writes a journal of its own below this folder.
JOURNAL_ROOT = Path(os.environ.get("YUANMAI_JOURNAL", HOME / "journal"))
LAKE = os.environ.get("YUANMAI_LAKE", str(HOME / "lake"))  # a folder, or s3://…
LAKE_RAW_DAYS = int(os.environ.get("YUANMAI_LAKE_RAW_DAYS", "1095"))  # readings are kept so long; 0: for ever
LAKE_ROLLED_DAYS = int(os.environ.get("YUANMAI_LAKE_ROLLED_DAYS", "0"))  # hours and days; 0: for ever
GATEWAY_NAME = os.environ.get("YUANMAI_GATEWAY_NAME", "gateway")
GATEWAY_HOST = os.environ.get("YUANMAI_GATEWAY_HOST", "127.0.0.1")
# Ports of the listeners; 0 switches one off.
GATEWAY_PORTS = {
    "hj212": int(os.environ.get("YUANMAI_PORT_HJ212", "8212")),
    "jt808": int(os.environ.get("YUANMAI_PORT_JT808", "8808")),  # TCP and UDP
    "mqtt": int(os.environ.get("YUANMAI_PORT_MQTT", "1883")),  # the embedded broker
    "mqtts": int(
        os.environ.get("YUANMAI_PORT_MQTTS", "8883" if os.environ.get("YUANMAI_TLS_CERTIFICATE") else "0")
    ),
}
MQTT_BROKER = os.environ.get(
    "YUANMAI_MQTT_BROKER", ""
)  # mqtt://user:password@host:1883 of a broker beside the embedded one
# Where pages hear of what moves by itself: an address, or the port of the process `live` on the host of the page.
LIVE_PORT = int(os.environ.get("YUANMAI_LIVE_PORT", "8001"))
LIVE_URL = os.environ.get("YUANMAI_LIVE_URL", "")

DJANGO_TABLES2_TEMPLATE = "core/table.html"
TEST_RUNNER = "django.test.runner.DiscoverRunner"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "yuanmai.core.logs.Line",
            "format": "%(asctime)s %(levelname)s %(name)s%(reference)s %(message)s",
        },
        "json": {"()": "yuanmai.core.logs.JsonLine"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": os.environ.get("YUANMAI_LOG_FORMAT", "line"),
        }
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("YUANMAI_LOG_LEVEL", "WARNING")},
    "loggers": {"yuanmai": {"level": os.environ.get("YUANMAI_LOG_LEVEL", "INFO")}},
}
