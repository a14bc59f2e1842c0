"""The master process of a run: ``python -m slocheck.load``, started by the engine."""

import sys

from slocheck.load.master.startup import main

sys.exit(main())
