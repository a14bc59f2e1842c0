"""What ``slocheck worker`` does: join a run on another machine, take part, and end with it."""

import socket
from contextlib import closing

from slocheck.allowed_targets import AllowedTargets
from slocheck.cli.machines.worker_options import WorkerOptions
from slocheck.cli.messages import say
from slocheck.cli.options import allowed_targets
from slocheck.cli.typed import address_typed, seconds_typed, worker_count
from slocheck.errors import GeneratorError, MeasurementError, SlocheckError, UsageError
from slocheck.load.machine.engine import MachineEngine
from slocheck.load.messaging.machine_messages import JoinRun, MachineDone
from slocheck.load.messaging.token_files import WORKER, read_token_file
from slocheck.masking import environment_secrets
from slocheck.named_files import asked
from slocheck.pipeline.interrupts import Interrupted, Interrupts
from slocheck.pipeline.scenario_log import ScenarioLog


def work(options: WorkerOptions) -> int:
    """Take part in one run; returns the exit code.

    Raises:
        UsageError: An option cannot be used, or the coordinator asks for what this machine may not do.
        GeneratorError: The coordinator is unreachable, refuses this machine, or is gone.
        Interrupted: A signal came; the coordinator was told.
    """
    join = _join(options)
    tell = (lambda _text: None) if options.quiet else say
    log = ScenarioLog(say if options.verbose else None, environment_secrets(), most=0)
    with closing(log), Interrupts() as interrupts, MachineEngine(join, tell, log.take) as engine:

        def leave() -> None:
            engine.leave(f"it was interrupted there ({interrupts.received})")

        with interrupts.handing_to(leave, engine.kill):
            try:
                done = engine.run()
            except GeneratorError:
                if interrupts.received:
                    raise Interrupted(interrupts.received) from None
                raise
        if interrupts.received:
            raise Interrupted(interrupts.received)
    if done.exit_code:
        raise _error(done)
    tell(done.text)
    return 0


def _join(options: WorkerOptions) -> JoinRun:
    host, port = address_typed("--join", options.join)
    allowed = allowed_targets(options.allow_target)
    AllowedTargets.of(allowed)
    token = read_token_file(options.token_file, WORKER)
    scenario = options.scenario
    if scenario is not None and not asked(scenario.is_file):
        raise UsageError(f"--scenario {scenario}: no such file; name this machine's own Locust file")
    if not port:
        raise UsageError(f"--join {options.join}: names no port; write {options.join.rstrip(':')}:5557")
    return JoinRun(
        host=host,
        port=port,
        server_key=token.key,
        shared_secret=token.shared_secret,
        name=options.name or socket.gethostname(),
        processes=worker_count(options.processes),
        allowed_targets=allowed,
        scenario=str(scenario.resolve()) if scenario else "",
        within_s=seconds_typed("--join-timeout", options.join_timeout),
    )


def _error(done: MachineDone) -> SlocheckError:
    return (UsageError if done.exit_code == UsageError.exit_code else MeasurementError)(done.text)
