"""How ``--help`` is laid out: options in groups, examples to copy; and how zsh completes."""

from contextlib import suppress
from typing import Any

from typer.core import TyperCommand, TyperGroup

from slocheck.cli.light_values import lighten

GROUPS = {
    "Without a spec": ("--url", "--p50", "--p95", "--p99", "--error-rate", "--availability"),
    "Load": (
        *("--scenario", "--users", "--rate", "--duration", "--warmup", "--processes", "--seed"),
        *("--until-decided", "--max-duration"),
    ),
    "Target and metrics": (
        *("--target", "--prometheus", "--allow-target", "--allow-metrics", "--allow-concurrent"),
    ),
    "Verdict": ("--gate", "--baseline", "--max-regression", "--exit-zero"),
    "Many machines": ("--workers", "--listen", "--token-file", "--join-timeout"),
    "Output": ("--reports", "--publish", "--json", "--quiet", "--verbose"),
}
"""The options of each group; all others are under the last title."""

GROUPED_FROM = 12
"""A list of fewer options needs no groups."""

REST = "Options"

EXAMPLES = {
    "run": (
        "slocheck run",
        "slocheck run slo.yaml --gate silver --until-decided",
        "slocheck run --url http://127.0.0.1:8000/items --rate 50/s --p95 200ms",
    ),
    "grade": ("slocheck grade", "slocheck grade latest --gate bronze -v"),
    "report": (
        "slocheck report --open",
        "slocheck report --format markdown",
        "slocheck report latest --format junit -o junit.xml --gate",
    ),
    "validate": ("slocheck validate", "slocheck validate slo.yaml --probe"),
    "init": (
        "slocheck init --service shop-api --target http://127.0.0.1:8000",
        "slocheck init --url http://127.0.0.1:8000/items",
        "slocheck init --openapi openapi.json --dir my-slo",
    ),
    "demo": ("slocheck demo",),
}
"""Lines to copy, by command; a test parses each."""


class Commands(TyperGroup):
    """The commands; what comes before them needs no conversion either."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words before a command."""
        lighten(self.get_params(ctx))
        return super().parse_args(ctx, args)


class Command(TyperCommand):
    """A command whose help has groups and examples, and whose line among the commands is a sentence."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words without what only converts and checks values that need neither."""
        lighten(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the help's first sentence; if it is too long, as many of its clauses as fit."""
        sentence = (self.help or "").partition("\n\n")[0].replace("\n", " ").partition(". ")[0].rstrip(".")
        if len(sentence) < limit:
            return f"{sentence}."
        head = sentence[:limit]
        end = max(head.rfind(";"), head.rfind(":"))
        end = end if end > 0 else head.rfind(",")
        return f"{head[:end]}." if end > 0 else f"{head[: limit - 3].rpartition(' ')[0]}..."

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, in groups if there are many."""
        arguments: list[Any] = []
        options: list[Any] = []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                is_argument = parameter.param_type_name == "argument"
                (arguments if is_argument else options).append((parameter.opts, record))
        sections = {"Arguments": [record for _, record in arguments]}
        for names, record in options:
            title = _group(names) if len(options) >= GROUPED_FROM else REST
            sections.setdefault(title, []).append(record)
        for title in ("Arguments", *GROUPS, REST):
            if sections.get(title):
                with formatter.section(title):
                    formatter.write_dl(sections[title])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, a line each."""
        if lines := EXAMPLES.get(ctx.info_name or ""):
            with formatter.section("Examples"):
                for line in lines:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def _group(names: list[str]) -> str:
    """Return the title of an option's group."""
    return next((title for title, options in GROUPS.items() if set(names) & set(options)), REST)


_REGISTERS = "\ncompdef %(complete_func)s %(prog_name)s\n"
_COMPLETES = """
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  %(complete_func)s "$@"
else
  compdef %(complete_func)s %(prog_name)s
fi
"""
"""zsh loads the installed file at the first press of Tab, which has to complete rather than register."""


def mend_zsh() -> None:
    """Change Typer's script for zsh; if a version of Typer has another one, it stays as it is."""
    with suppress(ImportError, AttributeError):
        from typer import _completion_shared as shared  # noqa: PLC0415 - Typer's own, and may go

        script = shared.COMPLETION_SCRIPT_ZSH
        shared._completion_scripts["zsh"] = script.replace(_REGISTERS, _COMPLETES)  # noqa: SLF001 - as above
