"""How background work finds out who it acts for."""

from django.utils.translation import gettext as _

from yuanmai.core.jobs.runner import resolve_actors_with
from yuanmai.core.policy import Denied
from yuanmai.people.actor import UserActor
from yuanmai.people.models import User


def actor_for_job(user_id: int) -> UserActor:
    """Return a user with the rights of this moment; raises `Denied` where the account has been locked since."""
    user = User.objects.get(pk=user_id)
    if not user.is_active:
        raise Denied(_("The account that asked for this work is locked."))
    return UserActor.of(user, via="job")


resolve_actors_with(actor_for_job)
