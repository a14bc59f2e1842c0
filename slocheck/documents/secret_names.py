"""Names whose values are probably secrets, in whatever case and with whatever separators they are written."""

import re
from itertools import pairwise

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_SEPARATOR = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(
    r"passw|passphrase|passcode|secret(?!ar)|credential|jwt|csrf|xsrf|bearer|authori[sz]|hmac|saml"
    r"|token$|^token(?!s$|i[sz])|(api|access|secret|private|auth|session|signing|encryption|master)key"
    r"|^o?auth$|^pass$|(user|login|db)pass$|pwd$|^passwd|^sig$|signature|^creds?$"
)
_IDENTIFIERS = frozenset({"id", "ids"})


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: ``AWSAccessKeyId2`` is aws, access, key, id."""
    words = (word.lower().rstrip("0123456789") for word in _BOUNDARY.split(name))
    return [word for word in words if word]


def pairs_of(words: list[str]) -> list[str]:
    """Return each word joined with the next one."""
    return [first + second for first, second in pairwise(words)]


def is_secret_name(name: str) -> bool:
    """Tell whether a field, parameter or header of this name probably holds a secret."""
    words = words_of(name)
    forms = (*words, *pairs_of(words), *_SEPARATOR.split(name.lower()))
    last = next((word for word in reversed(words) if word not in _IDENTIFIERS), "")
    return last == "key" or any(_WORD.search(form) for form in forms)
