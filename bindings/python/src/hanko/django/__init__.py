"""Sessions for Django, under WSGI and ASGI: `HankoMiddleware`, `@session_required`, `get_session`.

::

    # settings.py
    INSTALLED_APPS += ["hanko.django"]  # for `manage.py check`
    MIDDLEWARE += ["hanko.django.HankoMiddleware"]
    HANKO_PROTECTED_PATHS = ["/api"]


    # views.py
    def me(request):
        return JsonResponse({"user_id": request.hanko_session.user_id})
"""

from __future__ import annotations

from .._framework import missing_package

try:
    from django.core.checks import register
except ModuleNotFoundError as _error:
    raise missing_package(_error, "django", "Django") from _error

from .checks import check_settings
from .decorators import session_required
from .middleware import HankoMiddleware
from .sessions import aget_session, get_session

__all__ = ["HankoMiddleware", "aget_session", "get_session", "session_required"]

register(check_settings, "hanko")
