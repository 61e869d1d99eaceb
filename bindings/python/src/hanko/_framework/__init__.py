"""What the web frameworks have in common: rules without a framework, and the one way to ask.

Nothing here imports a framework, so each of `hanko.flask`, `hanko.django` and `hanko.fastapi` needs only its own.
"""

from .client_source import ClientSource
from .credentials import asgi_credentials, wsgi_credentials
from .inquiry import Inquiry, log_error
from .missing import missing_package
from .outcome import Outcome
from .preflight import is_preflight
from .protected_paths import ProtectedPaths
from .refusal import RETRY_AFTER_SECONDS, Refusal
from .settings import SETTINGS, client_options, misspelled_settings
from .vary import VARY, merge_vary

__all__ = [
    "RETRY_AFTER_SECONDS",
    "SETTINGS",
    "VARY",
    "ClientSource",
    "Inquiry",
    "Outcome",
    "ProtectedPaths",
    "Refusal",
    "asgi_credentials",
    "client_options",
    "is_preflight",
    "log_error",
    "merge_vary",
    "missing_package",
    "misspelled_settings",
    "wsgi_credentials",
]
