"""Settings of the room's tests."""

from hypothesis import settings

# The time of one example says nothing on a machine that others use too.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
