"""A Django project whose views show whose session they found."""
