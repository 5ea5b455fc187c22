"""The language of a request: the switch first, then the browser's, Chinese where unknown."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation


def best_language(header: str) -> str:
    """Return the supported language a browser prefers most, ``zh-hans`` where it names none that we have."""
    wishes = []
    for position, part in enumerate(header.split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        if tag and weight > 0:
            wishes.append((-weight, position, tag.lower()))
    for _weight, _position, tag in sorted(wishes):
        if tag == "zh" or tag.startswith("zh-"):
            return "zh-hans"
        if tag == "en" or tag.startswith("en-"):
            return "en"
    return "zh-hans"


class LanguageMiddleware(LocaleMiddleware):
    """Activate the language; any Chinese counts as Simplified Chinese."""

    def process_request(self, request: HttpRequest) -> None:
        """Choose by cookie, else by Accept-Language."""
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        if chosen not in dict(settings.LANGUAGES):
            chosen = best_language(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        translation.activate(chosen)
        request.LANGUAGE_CODE = translation.get_language()
