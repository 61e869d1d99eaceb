"""The app for INSTALLED_APPS: it has no models, and makes `manage.py check` look at the settings."""

from __future__ import annotations

from django.apps import AppConfig


class HankoConfig(AppConfig):
    """`hanko.django`; importing it registers the check."""

    name = "hanko.django"
    label = "hanko"
    verbose_name = "Hanko"
