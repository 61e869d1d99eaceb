"""For servers. It has asked before the server forks, so that the workers inherit a client in use."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.test import Client  # noqa: E402

application = get_wsgi_application()

for path in ("/api/me", "/async/required"):
    assert Client().get(path, headers={"Authorization": "Bearer refused"}).status_code == 401
