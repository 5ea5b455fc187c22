"""Settings of the test suite: the real ones with a throw-away home, fast password hashes and immediate jobs."""

import os
import tempfile

os.environ.setdefault("YUANMAI_HOME", tempfile.mkdtemp(prefix="yuanmai-test-"))
os.environ.setdefault("YUANMAI_SECRET_KEY", "only-for-tests")

from yuanmai.config.settings import *  # noqa: F403
from yuanmai.config.settings import DATABASES

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
if "postgresql" in DATABASES["default"]["ENGINE"]:
    # A pool outlives the test database it points to.
    DATABASES["default"]["OPTIONS"].pop("pool", None)
# No process beside the tests streams events: pages poll.
LIVE_PORT = 0
