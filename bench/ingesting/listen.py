"""Run inside an installation (`python listen.py`): an operator of the bench's organisation, signed in; prints the cookie."""

import django

django.setup()

from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from yuanmai.core.scope import everywhere  # noqa: E402
from yuanmai.people.models import Organisation, Post, Role, User  # noqa: E402
from yuanmai.people.presets_loader import ensure_roles  # noqa: E402

if __name__ == "__main__":
    with everywhere():
        ensure_roles()
        user = User(username="bench.operator", full_name="Bench", password_changed_at=timezone.now())
        user.set_unusable_password()
        user.save()
        Post.objects.create(
            user=user, org=Organisation.objects.get(code="bench"), role=Role.objects.get(code="operator")
        )
        client = Client()
        client.force_login(user, backend="yuanmai.people.backends.PasswordBackend")
        print(f"sessionid={client.cookies['sessionid'].value}")
