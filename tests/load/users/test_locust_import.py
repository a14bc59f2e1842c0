"""Importing Locust without its web interface, which a Locust file finds all the same when it asks for it."""

import json
import subprocess
import sys

PROGRAM = """
import json
import os
import sys
import traceback
from importlib import metadata

looked = []
look = metadata.entry_points
metadata.entry_points = lambda **wanted: (looked.append(wanted), look(**wanted))[1]
from slocheck.load.users.locust_import import LATER, import_locust
import_locust()

def succeeds(code):
    child = os.fork()
    if not child:
        try:
            exec(code, {})
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0

ways = json.loads(sys.argv[1])
found = {"loaded": sorted(sys.modules), "looks": looked, "later": LATER}
print(json.dumps({**found, "failed": [code for code in ways if not succeeds(code)]}))
"""
SERVER = ("flask", "flask_cors", "flask_login", "werkzeug", "jinja2", "itsdangerous")
WAYS = (
    "from locust.web import WebUI; assert WebUI.__module__ == 'locust.web'",
    "import locust.web; assert locust.web.WebUI.__name__ == 'WebUI'",
    "import locust; assert locust.web.WebUI.__name__ == 'WebUI'",
    "import sys; assert sys.modules['locust.web'].WebUI.__name__ == 'WebUI'",
    "from locust.web import *; assert WebUI.__name__ == 'WebUI'",
    "from locust.env import WebUI; assert WebUI.__module__ == 'locust.web'",
    "import locust.env; assert locust.env.WebUI is locust.web.WebUI",
    "import locust; locust.web.logger = 1; assert locust.web.logger == 1 and locust.web.WebUI.__name__",
    "from locust import web; assert not hasattr(web, 'missing') and web.WebUI.__name__ == 'WebUI'",
    "import locust.env\ntry: locust.env.missing\nexcept AttributeError: pass\nelse: raise AssertionError",
    "from locust.html import get_html_report; assert callable(get_html_report)",
    "import locust; assert callable(locust.html.get_html_report)",
    "import locust; assert callable(locust.user.inspectuser.get_ratio)",
    "import locust; assert callable(locust.util.cache.memoize)",
    "import gevent; assert gevent.pywsgi.WSGIServer and gevent.server.StreamServer",
    "import http; assert http.server.HTTPServer.__name__ == 'HTTPServer'",
    "import urllib.request; assert urllib.request.urlopen",
    "from locust.main import main; assert callable(main)",
    """
import locust
environment = locust.env.Environment(events=locust.events)
environment.create_local_runner()
interface = environment.create_web_ui("127.0.0.1", 0, delayed_start=True)
assert type(interface) is locust.web.WebUI is locust.env.WebUI and environment.web_ui is interface
interface.app.route("/mine")(lambda: "mine")
assert interface.app.test_client().get("/mine").text == "mine"
""",
    """
from importlib.machinery import SourceFileLoader
import locust
loads, SourceFileLoader.exec_module = SourceFileLoader.exec_module, lambda *_: 1 / 0
try: locust.web.WebUI
except ZeroDivisionError: SourceFileLoader.exec_module = loads
assert locust.web.WebUI.__name__ == 'WebUI'
""",
)


def test_locust_comes_without_its_web_server_until_a_file_asks_for_it() -> None:
    """No process of the load holds the server; each way to reach it loads it, one that failed once as well.

    Entry points of plugins are looked up once, though gevent asks for each of its events.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(WAYS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not {*SERVER} & {*found["loaded"]}
    assert {*found["later"]} <= {*found["loaded"]}
    assert found["looks"] == [{}]
    assert found["failed"] == [], done.stderr
