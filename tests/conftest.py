"""Settings for all tests: no example has a deadline, since a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("awsfed", deadline=None)
settings.load_profile("awsfed")
