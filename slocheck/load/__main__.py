"""A process of the load: ``python -m slocheck.load``, started by the engine or by ``slocheck worker``."""

import sys

from slocheck.load.master.scheduling import loading
from slocheck.load.users.locust_import import import_locust

with loading():
    import_locust()  # before all else: it patches sockets
    from slocheck.load.machine.first_line import main

sys.exit(main())
