"""Addresses of the audit log."""

from django.urls import path

from yuanmai.core.audit import views

urlpatterns = [
    path("", views.audit_log, name="audit_log"),
    path("verify/", views.audit_verify, name="audit_verify"),
    path("export/", views.audit_export, name="audit_export"),
    path("<int:sequence>/", views.audit_entry, name="audit_entry"),
]
