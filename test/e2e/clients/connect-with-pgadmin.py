"""connect-with-pgadmin.py desktop|server SERVERS_JSON CA_FILE: imports the servers into a pgAdmin of its own, and connects
to the first as a click in the browser does, by way of Flask's test client."""

import builtins
import glob
import os
import re
import shutil
import subprocess
import sys

mode, servers, ca_file = sys.argv[1:]
home = os.environ["HOME"]
root = glob.glob(os.path.join(sys.prefix, "lib/python3*/site-packages/pgadmin4"))[0]
data = os.path.join(home, f"pgadmin-{mode}")
settings = os.path.join(home, f"config_{mode}.py")
user, password = "user@example.com", "userpw123"
with open(settings, "w", encoding="ascii") as file:
    file.write(
        f"HELP_PATH = '../../docs/en_US/_build/html/'\nMINIFY_HTML = False\nSERVER_MODE = {mode == 'server'}\n"
        f"DATA_DIR = {data!r}\nMASTER_PASSWORD_REQUIRED = False\nUSE_OS_SECRET_STORAGE = False\n"
        "UPGRADE_CHECK_ENABLED = False\nENABLE_SERVER_PASS_EXEC_CMD = True\n"
    )
os.environ["CONFIG_DISTRO_FILE_PATH"] = settings


def setup(*arguments):
    env = {**os.environ, "PGADMIN_SETUP_EMAIL": user, "PGADMIN_SETUP_PASSWORD": password}
    done = subprocess.run(
        [sys.executable, os.path.join(root, "setup.py"), *arguments], env=env, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


setup("setup-db")
loaded = setup("load-servers", servers, *(["--user", user] if mode == "server" else []))
# It ends with 0 also where it fails.
if "and 1 Server(s)" not in loaded:
    sys.exit(f"the import failed: {loaded}")
if mode == "server":
    storage = os.path.join(data, "storage", user.replace("@", "_"))
    os.makedirs(storage, exist_ok=True)
    shutil.copy(ca_file, os.path.join(storage, "rds-ca.pem"))

sys.path.insert(0, root)
os.chdir(root)
builtins.SERVER_MODE = None
import config  # noqa: E402, F401  before pgadmin, which imports it in a circle
from pgadmin import create_app  # noqa: E402

app = create_app()
app.PGADMIN_RUNTIME, app.PGADMIN_INT_KEY, app.PGADMIN_EXTERNAL_AUTH_SOURCE = False, "", "internal"
app.run_before_app_start()
browser = app.test_client()
if mode == "server":
    page = browser.get("/login").get_data(as_text=True).replace("&#34;", '"')
    csrf = re.search(r'csrfToken"?\s*:\s*"([^"]+)"', page) or re.search(r'csrf_token"?[^>]*?(?:value=|:\s*)"([^"]+)"', page)
    form = {"email": user, "password": password, "internal_button": "Login", "csrf_token": csrf.group(1)}
    browser.post("/authenticate/login", data=form)
browser.get("/browser/")
token = re.search(r"csrf_token'\]\s*=\s*'([^']+)'", browser.get("/browser/js/utils.js").get_data(as_text=True)).group(1)
headers = {"X-pgA-CSRFToken": token}


def nodes(path):
    answer = browser.get(path, headers=headers).get_json(silent=True) or {}
    return answer.get("result") or answer.get("data") or []


for group in nodes("/browser/server_group/nodes/"):
    for server in nodes(f"/browser/server/nodes/{group['_id']}/"):
        path = f"/browser/server/connect/{group['_id']}/{server['_id']}"
        answer = browser.post(path, headers=headers)
        print(server["label"], answer.status_code, answer.get_data(as_text=True)[:500])
        connected = ((answer.get_json(silent=True) or {}).get("data") or {}).get("connected") is True
        browser.delete(path, headers=headers)
        sys.exit(0 if connected else 1)
sys.exit("the imported server is not there")
