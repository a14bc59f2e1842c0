"""Completion in zsh: what Typer writes, mended so that the first press of the key completes as well."""

from contextlib import suppress

_REGISTERS = "\ncompdef %(complete_func)s %(prog_name)s\n"
_COMPLETES = """
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  %(complete_func)s "$@"
else
  compdef %(complete_func)s %(prog_name)s
fi
"""
"""zsh loads the installed file at the first press of the key, which has to complete and not to register."""


def mend_zsh() -> None:
    """Change Typer's script for zsh; where a Typer has another one, that stays as it is."""
    with suppress(ImportError, AttributeError):
        from typer import _completion_shared as shared  # noqa: PLC0415 - Typer's own, and may go

        script = shared.COMPLETION_SCRIPT_ZSH
        shared._completion_scripts["zsh"] = script.replace(_REGISTERS, _COMPLETES)  # noqa: SLF001 - as above
