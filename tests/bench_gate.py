"""How fast the gate is: the part of tests/bench that drives a server with wrk. Judges nothing.

    bench_gate.py KEYS SCRATCH SECONDS

Each comparison is with /healthz of the same process: the cheapest answer that it gives, which asks for no key and no
database. Both are driven in turn (A B A B …); what is printed is the median of the pairs' ratios.
"""

import csv, hashlib, io, json, os, re, shutil, signal, sqlite3, statistics, subprocess, sys, time

KEYS, SCRATCH, SECONDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
POSTGRES = os.environ.get("KEYS_TEST_POSTGRES")
PAIRS, CONNECTIONS = 5, 64
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": SCRATCH, "KEYS_DATA_DIR": os.path.join(SCRATCH, "unused"), "LC_ALL": "C"}
# More than anybody can call meanwhile: what is measured is the counting, not the refusing.
PLENTY = str(10**12)


def fail(text):
    sys.exit(f"tests/bench: {text}")


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        fail(f"{command[0]} failed: {done.stderr}")
    return done.stdout


def plaintext(number):
    """A key by its looks, put together here; wrk puts the same ones together."""
    return "wbk_" + f"{number:08}_{number:032}"


class Sqlite:
    name = "SQLite"

    def __init__(self, name):
        self.path = os.path.join(SCRATCH, f"{name}.db")
        self.url = f"sqlite:{self.path}"

    def fill(self, rows):
        with sqlite3.connect(self.path) as database:
            workspace = database.execute("SELECT id FROM workspaces").fetchone()[0]
            marks = ", ".join("?" * len(COLUMNS))
            database.executemany(f"INSERT INTO api_keys ({', '.join(COLUMNS)}) VALUES ({marks})", rows(workspace))
        database.close()

    def drop(self):
        pass


class Postgres:
    name = "PostgreSQL"

    def __init__(self, name):
        self.database = f"keys_bench_{os.getpid()}_{name}"
        run(["psql", POSTGRES, "-qc", f"CREATE DATABASE {self.database}"])
        self.url = POSTGRES.rsplit("/", 1)[0] + "/" + self.database

    def fill(self, rows):
        workspace = run(["psql", self.url, "-Atc", "SELECT id FROM workspaces"]).strip()
        text = io.StringIO()
        csv.writer(text).writerows(rows(workspace))
        run(["psql", self.url, "-qc", f"COPY api_keys ({', '.join(COLUMNS)}) FROM STDIN CSV"], input=text.getvalue())
        run(["psql", self.url, "-qc", "ANALYZE api_keys"])

    def drop(self):
        run(["psql", POSTGRES, "-qc", f"DROP DATABASE {self.database} WITH (FORCE)"])


COLUMNS = ["id", "workspace_id", "hash", "prefix", "name", "active_name", "folded", "permissions", "tier", "created_by", "created_at"]


def keys(count):
    def rows(workspace):
        for number in range(count):
            name, digest = f"worker {number}", hashlib.sha256(plaintext(number).encode()).hexdigest()
            yield [f"key_{number:012}", workspace, digest, plaintext(number)[:12], name, name, name, "read:contacts", "standard", "operator", 1]

    return rows


class Server:
    """`keys serve` on a database with one workspace and so many keys."""

    def __init__(self, engine, count):
        self.store = engine(f"gate{count}")
        place = ["--database", self.store.url]
        plan = ["--plan", "enterprise", "--per-day", PLENTY, "--per-minute", PLENTY, "--monthly-credits", PLENTY]
        run([KEYS, "serve", "init", "--name", "Bench", *plan, *place], env=ENVIRONMENT)
        self.store.fill(keys(count))
        command = [KEYS, "serve", "--log-requests", "errors", "--listen", "127.0.0.1:0", *place]
        self.process = subprocess.Popen(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stderr.readline())["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.store.drop()

    def resident(self):
        """In MB."""
        return int(run(["ps", "-o", "rss=", "-p", str(self.process.pid)])) / 1024


SCRIPT = """
local count = tonumber(os.getenv("BENCH_KEYS"))
function init() math.randomseed(tonumber(os.getenv("BENCH_SEED"))) end
function request()
  local number = math.random(0, count - 1)
  local key = "wbk_" .. string.format("%08d_%032d", number, number)
  return wrk.format("GET", "/authorize", {["Authorization"] = "Bearer " .. key, ["X-Original-Method"] = "GET", ["X-Original-URI"] = "/v1/contacts"})
end
"""


def wrk(server, *, path="/authorize", among=1, seed=1, seconds=None):
    """Requests a second, the 99th percentile in milliseconds, and how many there were. The gate is asked by so many keys."""
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds or SECONDS}s", "--latency"]
    if among == 1:
        # Also what is not read is sent, so that both requests are as long.
        command += ["-H", f"Authorization: Bearer {plaintext(0)}", "-H", "X-Original-Method: GET", "-H", "X-Original-URI: /v1/contacts"]
    else:
        script = os.path.join(SCRATCH, "gate.lua")
        with open(script, "w") as file:
            file.write(SCRIPT)
        command += ["-s", script]
    environment = {**os.environ, "BENCH_KEYS": str(among), "BENCH_SEED": str(seed)}
    said = run([*command, server.url + path], env=environment)
    if "Non-2xx" in said or "Socket errors" in said:
        fail(f"not every request was let through: {said}")
    rate = float(re.search(r"Requests/sec: +([\d.]+)", said)[1])
    value, unit = re.search(r"99% +([\d.]+)(us|ms|s)", said).groups()
    return rate, float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit], int(re.search(r"(\d+) requests in", said)[1])


def line(what, figure, detail="", goal=""):
    print(f"{what:<44} {figure:>9}  {detail:<24} {goal and 'goal ' + goal}".rstrip(), flush=True)


def beside_a_constant(server):
    wrk(server, seconds=1), wrk(server, path="/healthz", seconds=1)
    pairs = [(wrk(server), wrk(server, path="/healthz")) for _ in range(PAIRS)]
    for what, at, unit, goal in [("requests a second", 0, "/s", ">= 0.8 x"), ("99th percentile", 1, " ms", "<= 1.2 x")]:
        ratio = statistics.median(ours[at] / theirs[at] for ours, theirs in pairs)
        mine, other = (statistics.median(one[at] for one in side) for side in zip(*pairs))
        digits = 0 if at == 0 else 2
        line(f"{what}", f"{ratio:.2f} x", f"{mine:.{digits}f} : {other:.{digits}f}{unit}", goal)


def memory(server):
    """Beside what it held after a while, so that what it keeps for its connections is not counted."""
    before, done = server.resident(), 0
    while done < 1_000_000:
        done += wrk(server)[2]
    after = server.resident()
    line("memory, after a million more", f"{after / before:.2f} x", f"{after:.1f} : {before:.1f} MB", "the same")


def grown(engine):
    """The same ten keys call, of ever more that there are; and then any of them, most for the first time."""
    rates = {}
    for count in [10, 1_000, 1_000_000]:
        with Server(engine, count) as server:
            wrk(server, among=10, seconds=1)
            rates[count] = [wrk(server, among=10)[0] for _ in range(3)]
            rate = statistics.median(rates[count])
            beside = statistics.median(rates.get(1_000, rates[count]))
            goal = ">= 0.9 x of 1,000" if count > 1_000 else ""
            line(f"ten of {count:,} keys call", f"{rate / beside:.2f} x", f"{rate:.0f}/s", goal)
            if count > 1_000:
                before = server.resident()
                rate, late, done = wrk(server, among=count, seed=2)
                detail = f"{rate:.0f}/s, p99 {late:.1f} ms"
                line("  any of them, most for the first time", f"{rate / beside:.2f} x", detail)
                line("  memory after that", f"{server.resident():.0f} MB", f"{before:.0f} MB before")


engines = [Sqlite] + ([Postgres] if POSTGRES and shutil.which("psql") else [])
for engine in engines:
    print(f"\nThe gate on {engine.name}, {CONNECTIONS} connections, beside /healthz of the same process")
    with Server(engine, 1) as server:
        beside_a_constant(server)
        memory(server)
    grown(engine)
if len(engines) == 1:
    print("\nThe gate on PostgreSQL: not measured: KEYS_TEST_POSTGRES names no server, or there is no psql")
