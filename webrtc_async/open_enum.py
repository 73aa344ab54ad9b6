"""Enums that tomorrow's values fit into."""

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """An enum of the values known today; any other text makes a member that is equal to itself."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        # The service takes these values in any case: a vendor sample sent "v3" for years.
        for known in cls if value.isascii() else ():
            if known.value.upper() == value.upper():
                return known
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether this version of the package knows the value."""
        return self.name in type(self).__members__
