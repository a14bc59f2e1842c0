"""A worker process of a run: ``python -m slocheck.load.worker``, started by the master."""

import sys

from slocheck.load.worker.startup import main

sys.exit(main())
