"""Options that a Locust file adds to Locust's command line, and Locust's own, which the plan sets."""

import shlex
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Never

import locust
from locust import argument_parser
from locust.argument_parser import LocustArgumentParser, get_empty_argument_parser

from slocheck.load.file_end import raised
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model.workload import LIST_SEPARATOR

_ONE_VALUE = ArgumentParser(add_help=False).add_argument("--one")
_MOST_FLAGS = 100
_set_up: Callable[[Any], None] = argument_parser.setup_parser_arguments


class OptionsError(Exception):
    """The options cannot be used; the text says why and what to do."""


def ignore_environment() -> None:
    """Keep LOCUST_HOST, LOCUST_USERS and the like from Locust's parsers in this process.

    The Locust file may read them, but the plan decides what a run does.
    """
    argument_parser.setup_parser_arguments = _set_up_without_environment


def _set_up_without_environment(parser: Any) -> None:
    _set_up(parser)
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list
        action.env_var = None
        if action.dest == "user_classes":
            action.default = []


def file_options(plan: LoadPlan) -> Namespace:
    """Return the options as a Locust file sees them: its own as given, Locust's own as the plan sets them.

    Raises:
        OptionsError: An option is missing, unknown or Locust's own, or has a value that it does not accept.
    """
    parser = get_empty_argument_parser(default_config_files=[])
    _set_up_without_environment(parser)
    own = {name for action in parser._actions for name in action.option_strings}  # noqa: SLF001
    try:
        locust.events.init_command_line_parser.fire(parser=parser)
    except BaseException as error:
        raise OptionsError(f"a listener of init_command_line_parser raises {raised(error)}") from error
    given = list(_as_typed(plan.options, parser))
    for word in given:
        name = word.partition("=")[0]
        if name in own:
            raise OptionsError(f"{name}: is Locust's own option; what the run does is written in the spec")
    parser.allow_abbrev = False
    added = [name for action in parser._actions for name in action.option_strings if name not in own]  # noqa: SLF001
    options = _parsed(parser, given, added)
    vars(options).update(
        host=plan.target_url.rstrip("/"),
        num_users=plan.users,
        spawn_rate=plan.spawn_rate,
        run_time=round(plan.warmup_s + plan.duration_s),
        headless=True,
        stop_timeout=plan.drain_s,
        tags=list(plan.tags) or None,
        exclude_tags=list(plan.exclude_tags) or None,
    )
    return options


def _as_typed(words: Iterable[str], parser: LocustArgumentParser) -> Iterator[str]:
    """Yield the options as words of a command line.

    The spec holds values and lists of values. Only the parser knows which options are flags, take several
    values or may be repeated. Raises OptionsError for a list if the option takes one value.
    """
    actions = {name: action for action in parser._actions for name in action.option_strings}  # noqa: SLF001
    for word in words:
        name, equals, value = word.partition("=")
        action = actions.get(name)
        if not equals or action is None:
            yield word
        elif action.nargs == 0:
            yield from _flags(action, name, value)
        elif LIST_SEPARATOR not in value:
            yield word
        else:
            yield from _several(action, name, value.split(LIST_SEPARATOR))


def _flags(action: Action, name: str, value: str) -> Iterator[str]:
    """Yield a flag or its negation for `true` and `false`, or the flag as often as a number says."""
    negative = f"--no-{name.lstrip('-')}"
    if value == "true":
        yield name
    elif value == "false":
        yield from [negative] if negative in action.option_strings else []
    elif value.isdecimal() and int(value) <= _MOST_FLAGS:
        yield from [name] * int(value)
    else:
        yield f"{name}={value}"  # the parser says that it takes no value


def _several(action: Action, name: str, values: list[str]) -> Iterator[str]:
    """Yield an option with the values of a list."""
    if action.nargs not in (None, "?"):
        yield from (name, *values)
    elif type(action) is type(_ONE_VALUE):
        raise OptionsError(f"{name}: takes one value; a list fits an option with nargs or action='append'")
    else:
        yield from (f"{name}={value}" for value in values)


def _parsed(parser: LocustArgumentParser, given: list[str], added: list[str]) -> Namespace:
    def refuse(message: str) -> Never:
        example = _missing(message) or (added[0] if added else "")
        ways = (
            f"give it after two dashes (slocheck run -- {example} VALUE), "
            f"or in the spec (workload: {{options: {{{example.lstrip('-')}: VALUE}}}})"
            if example
            else "the Locust file adds no options (init_command_line_parser); leave them out"
        )
        raise OptionsError(f"{message.splitlines()[0]}; {ways}")

    parser.error = refuse  # type: ignore[method-assign] # it would end the process
    try:
        options: Namespace = parser.parse_args(args=given)
    except SystemExit as error:
        raise OptionsError(f"{shlex.join(given)}: ends the process; leave it out") from error
    if options.user_classes:
        raise OptionsError(f"{options.user_classes[0]}: is not an option of the Locust file; leave it out")
    return options


def _missing(message: str) -> str:
    """Return the first option that argparse reports as missing, in its longest form; empty for none."""
    names = message.partition("are required: ")[2].split(", ")[0]
    return max(names.split("/"), key=len) if names else ""
