"""The answer to a locked-out sign-in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def locked_out(request: HttpRequest, original_response: Any = None, credentials: Any = None) -> HttpResponse:
    """Say that the account is locked and for how long."""
    return render(request, "people/locked.html", status=429)
