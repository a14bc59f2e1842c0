"""Credentials: read from where the spec says, and never shown."""

import os
from pathlib import Path

import pytest

from slocheck.errors import UsageError
from slocheck.masking import secrets_of
from slocheck.sources.credentials import Credentials, read_credentials
from slocheck.spec.model import Auth, Tls
from slocheck.tls import tls_context
from tests.builders.specs import make_spec


def read(auth: Auth) -> Credentials:
    """Read the credentials of a source's ``auth``."""
    return read_credentials(auth, where="prometheus.auth")


def test_every_form_of_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token, password and headers come from files and variables, stripped of white space."""
    (tmp_path / "token").write_text("tok-1\n", encoding="utf-8")
    monkeypatch.setenv("PASSWORD", "pässword ")
    monkeypatch.setenv("TENANT", "team-a")
    auth = Auth(
        bearer_token_file=str(tmp_path / "token"),
        username="me",
        password_env="PASSWORD",
        headers_env={"X-Scope-OrgID": "TENANT"},
    )
    found = read(auth)
    assert found.headers == {"Authorization": "Bearer tok-1", "X-Scope-OrgID": "team-a"}
    assert found.basic == ("me", "pässword")
    assert "tok-1" not in repr(found)
    assert "pässword" not in repr(found)
    assert set(found.secrets) >= {"pässword", "team-a"}


def test_no_credentials() -> None:
    """A source without ``auth`` sends none."""
    assert read(Auth()) == Credentials()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param(b"\n", "is empty", id="empty"),
        pytest.param(b"a\nb", "more than one line", id="two lines"),
        pytest.param(b"\xff\xfe", "not UTF-8", id="binary"),
    ],
)
def test_a_secret_file_that_cannot_be_used(content: bytes | None, message: str, tmp_path: Path) -> None:
    """The key, the file and the cause are named; its content is not."""
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"prometheus\.auth\.bearer_token_file: .*token.*{message}"):
        read(Auth(bearer_token_file=str(path)))


def test_a_file_without_an_end_is_not_read(tmp_path: Path) -> None:
    """A device, a pipe, a folder or a large file: none is waited for, and none fills the memory."""
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(1 << 40)
    for path, why in (
        ("/dev/zero", "not a regular file"),
        (str(pipe), "not a regular file"),
        (str(tmp_path), "irectory|not a regular"),
        (str(large), "larger than 65,536 bytes"),
    ):
        with pytest.raises(UsageError, match=f"bearer_token_file: {path}: .*{why}"):
            read(Auth(bearer_token_file=path))
        with pytest.raises(UsageError, match=f"tls.ca: {path}: .*(larger|not a regular|irectory)"):
            tls_context(Tls(ca=path), where="tls")
        auth = f"auth: {{bearer_token_file: '{path}'}}"
        secrets_of(
            make_spec(more=f"prometheus: {{url: 'http://127.0.0.1:1', selector: {{job: a}}, {auth}}}\n")
        )


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        pytest.param(
            Auth(bearer_token_env="UNSET"), "bearer_token_env: the environment variable UNSET", id="token"
        ),
        pytest.param(
            Auth(username="me", password_env="UNSET"), "password_env: .* UNSET is not set", id="password"
        ),
        pytest.param(
            Auth(headers_env={"X-Key": "UNSET"}), r"headers_env\.X-Key: .* UNSET is not set", id="header"
        ),
    ],
)
def test_a_variable_that_is_not_set(auth: Auth, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key and the variable are named."""
    monkeypatch.delenv("UNSET", raising=False)
    with pytest.raises(UsageError, match=message):
        read(auth)
