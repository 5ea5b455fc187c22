"""The WSGI entry that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yuanmai.config.settings")
_django = get_wsgi_application()

from yuanmai.devices.readings.shortcut import with_shortcut  # noqa: E402  (the rooms must be there)

application = with_shortcut(_django)


def _settle() -> None:
    """Load what the first request would load, and take all of it out of the collector's sight.

    Some 200,000 objects live as long as the process; looking through them again and again stops every request of the
    process for a tenth of a second.
    """
    from django.urls import get_resolver

    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


_settle()
