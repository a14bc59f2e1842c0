"""Settings of all tests."""

import os
import signal

from hypothesis import settings
from hypothesis.internal.conjecture import providers

# a busy machine is not a failure, and the same commit has the same result; `make explore` looks further
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "repeatable")
settings.load_profile(PROFILE)
if PROFILE == "repeatable":
    # else examples contain constants of modules that earlier tests imported in this process
    vars(providers)["is_local_module_file"] = lambda _: False

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:  # under nohup, or in the background of a script
        signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
