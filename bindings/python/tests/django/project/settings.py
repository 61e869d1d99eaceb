"""Its settings; those of Hanko come from the environment unless a test overrides them."""

ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["hanko.django"]
MIDDLEWARE = ["hanko.django.HankoMiddleware"]
ROOT_URLCONF = "project.urls"
SECRET_KEY = "only for tests"  # noqa: S105
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
USE_TZ = True

HANKO_PROTECTED_PATHS = ["/api"]
