"""Locust's own command line, many times: imported once, and forked for each run as `--processes` does."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Self


class ForkedLocust:
    """Runs Locust once after the other; a context manager. May be called from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, arguments: Sequence[str], *, cwd: Path) -> tuple[int, str, str]:
        """Run Locust with arguments in a folder; return its exit code, output and errors."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps([list(arguments), str(cwd)]) + "\n")
            self._process.stdin.flush()
            code, out, said = json.loads(self._process.stdout.readline())
        return code, out, said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


def _serve() -> None:
    """Fork for each line of standard input; respond with the outcome."""
    import gevent  # noqa: PLC0415 - as above
    from locust.main import main  # noqa: PLC0415 - patches the process, which must not be the tests'

    for line in sys.stdin:
        arguments, folder = json.loads(line)
        outputs = [os.memfd_create("output"), os.memfd_create("errors")]
        child = os.fork()
        if not child:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(outputs[0], 1)
            os.dup2(outputs[1], 2)
            os.chdir(folder)
            sys.argv = ["locust", *arguments]
            gevent.get_hub().loop.update_now()  # else its timers count from the parent's last one
            main()
            raise AssertionError("Locust ends by an exit")
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for output in outputs:
            os.lseek(output, 0, os.SEEK_SET)
            with open(output, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a descriptor
                texts.append(file.read())
        sys.stdout.write(json.dumps([code, *texts]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.path.pop(0)
    _serve()
