"""What a Locust file may import: `LeanHttpUser`, instead of Locust's HttpUser or FastHttpUser."""

from slocheck.load.users.lean_user import LeanHttpUser

__all__ = ["LeanHttpUser"]
