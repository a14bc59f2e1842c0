"""Values of options that Typer need not convert are what they would be if it did."""

import os
from pathlib import Path

import pytest
import typer.main
from typer import TyperException

from slocheck.cli import app, light_values
from slocheck.cli import help as help_page

GIVEN = [
    pytest.param("run", id="defaults"),
    pytest.param("run my.yaml --reports . --publish out --target http://h --json -q --gate gold", id="texts"),
    pytest.param("run --allow-target a --allow-target b --allow-metrics c", id="lists"),
    pytest.param("run --users 5 --seed 007 --workers 0", id="whole numbers"),
    pytest.param("run --users 5_0 --seed +3", id="numbers written oddly"),
    pytest.param("run --seed 99999999999999999999999", id="a large number"),
    pytest.param("run --users \u0665", id="another script's digits"),
    pytest.param("run --users five", id="not a number"),
    pytest.param("run --users 1.5", id="not whole"),
    pytest.param("run --users ''", id="nothing"),
    pytest.param("run /dev/null/x", id="a path below a file"),
    pytest.param("run --no-such-option", id="an unknown option"),
    pytest.param("list --last 3", id="a number within bounds"),
    pytest.param("list --last 0", id="a number out of bounds"),
    pytest.param("prune --keep -1", id="another"),
    pytest.param("demo --port 70000", id="a port"),
    pytest.param("compare", id="an argument is missing"),
    pytest.param("compare a b c --json", id="arguments"),
    pytest.param("init --url http://h/a --dir x", id="another command"),
    pytest.param("grade latest --spec x.yaml -v", id="a further command"),
]


def parsed(words: list[str]) -> object:
    """Return the values that a command gets, or what is wrong with them."""
    group = typer.main.get_command(app)
    with group.make_context("slocheck", words) as outer:
        name, command, rest = outer.command.resolve_command(outer, words)  # type: ignore[attr-defined] # of a group
        try:
            with command.make_context(name, rest, parent=outer) as context:
                return {key: (type(value), value) for key, value in context.params.items()}
        except TyperException as error:
            return error.format_message()


@pytest.mark.parametrize("given", GIVEN)
def test_values_are_those_of_typer(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values, their types, and what is said of a wrong one; variables of the environment as well."""
    words = [word.strip("'") for word in given.split(" ")]
    monkeypatch.setenv("SLOCHECK_ALLOW_CONCURRENT", "yes")
    monkeypatch.setenv("SLOCHECK_SEED", "12")
    monkeypatch.setenv("SLOCHECK_TOKEN_FILE", "there")
    light = parsed(words)
    monkeypatch.setattr(help_page, "lighten", lambda _parameters: None)
    assert light == parsed(words)


@pytest.mark.parametrize("path", ["a\0b", "\udcff", "", "."])
def test_odd_paths_are_taken_or_left_to_typer(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a path is made of, the spec that a command gets is the one that Typer makes of it."""
    light = parsed(["run", path])
    monkeypatch.setattr(help_page, "lighten", lambda _parameters: None)
    assert light == parsed(["run", path])


def test_a_path_that_cannot_be_read_is_left_to_typer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which says so; root can read all, so that it is told otherwise."""
    file = tmp_path / "slo.yaml"
    file.write_text("")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert str(parsed(["run", str(file)])).endswith(f"{str(file)!r} is not readable.")


def test_another_typer_converts_all_itself() -> None:
    """Where a parameter keeps its converter elsewhere, nothing is put in its place."""
    parameter = type("Parameter", (), {})()
    light_values.lighten([parameter])
    assert vars(parameter) == {}
