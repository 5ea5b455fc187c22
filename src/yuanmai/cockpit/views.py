"""Pages of the cockpit."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from yuanmai.core.web import page


@page()
def home(request: HttpRequest) -> HttpResponse:
    """The first page after signing in."""
    return render(request, "cockpit/home.html")
