"""The user classes of a Locust file in this process: what their `__init__` raises."""

from collections.abc import Callable
from typing import Any

from locust import User
from locust.exception import StopTest, StopUser
from locust.user.users import UserMeta

Tell = Callable[[Exception], None]


class FailedUser:
    """Stands in for a user whose `__init__` raised; it never starts."""

    environment = None

    def start(self, _group: object) -> None:
        """Do nothing."""


def catch_init_errors(tell: Tell) -> None:
    """Report what the `__init__` of a user class raises, so that other users still start in this process."""

    def make(user_class: type[User], *args: Any, **kwargs: Any) -> Any:
        try:
            user = type.__call__(user_class, *args, **kwargs)
        except (StopTest, StopUser):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a scenario raises
            tell(error)
            return FailedUser()
        if hasattr(user, "environment"):
            return user
        tell(AttributeError(f"{user_class.__name__}.__init__ does not call super().__init__(environment)"))
        return FailedUser()

    UserMeta.__call__ = make  # type: ignore[method-assign, assignment] # Locust has no other way in
