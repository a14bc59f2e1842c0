"""The master process of a run: ``python -m slocheck.load``, started by the engine."""

import sys

from slocheck.load.master.run_controller import main

sys.exit(main())
