"""What the whole test shares."""

import os

from locust import constant

WAIT = constant(0.001)
LANGUAGE = os.environ.get("SHOP_LANGUAGE", "en")
