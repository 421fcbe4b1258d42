"""A loopback server that answers the calls which a W&B sweep makes: it proposes what it is given, in order."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OWNER = {"id": "owner", "name": "nobody"}
VIEWER = {
    "id": "u",
    "entity": "nobody",
    "username": "u",
    "name": "u",
    "email": "",
    "flags": "{}",
    "teams": {"edges": []},
    "defaultEntity": OWNER,
    "admin": False,
}


class SweepServer:
    """Proposes `proposals` one after the other, then tells the agent to go.

    Attributes:
        sweep: the sweep as it was described to the server, None before that.
        asked: the names of all calls, in order.
    """

    def __init__(self, proposals):
        self.proposals = list(proposals)
        self.sweep, self.asked, self.runs = None, [], 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def _take(self):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))

            def _say(self, content):
                text = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                self._say({})

            def do_PUT(self):
                self._take()
                self._say({})

            def do_POST(self):
                told = self._take()
                self._say(server.answer(json.loads(told)) if self.path.startswith("/graphql") else {"limits": {}})

        return Handler

    def answer(self, call):
        """The answer to one GraphQL call."""
        name = re.search(r"(?:query|mutation)\s+(\w+)", call["query"])[1]
        self.asked.append(name)
        answers = {
            "UpsertSweep": self._upsert_sweep,
            "CreateAgent": lambda told: {"createAgent": {"agent": {"id": "agent"}}},
            "Heartbeat": self._heartbeat,
            "UpsertBucket": self._upsert_run,
            "SweepWithRuns": self._sweep,
            "ServerFeaturesQuery": lambda told: {"serverInfo": {"features": []}},
        }
        if "iewer" in name:
            return {"data": {"viewer": VIEWER}}
        return {"data": answers.get(name, lambda told: {})(call.get("variables") or {})}

    def _upsert_sweep(self, told):
        self.sweep = told["config"]
        project = {"id": "p", "name": "engram", "entity": OWNER}
        return {"upsertSweep": {"sweep": {"name": "sweep001", "project": project}, "configValidationWarnings": []}}

    def _heartbeat(self, told):
        commands = []
        if not json.loads(told.get("runState") or "{}"):
            if self.proposals:
                self.runs += 1
                values = {name: {"value": value} for name, value in self.proposals.pop(0).items()}
                commands = [{"type": "run", "run_id": f"run{self.runs:03d}", "args": values, "program": "engine"}]
            else:
                commands = [{"type": "exit"}]
        return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(commands)}}

    def _upsert_run(self, told):
        project = {"id": "p", "name": "engram", "entity": OWNER}
        run = {"id": "b", "name": told.get("name"), "displayName": "r", "description": "", "config": "{}",
               "sweepName": told.get("sweep"), "project": project, "historyLineCount": 0}  # fmt: skip
        return {"upsertBucket": {"bucket": run, "inserted": True}}

    def _sweep(self, told):
        sweep = {"id": "s", "name": "sweep001", "method": "bayes", "state": "RUNNING", "config": self.sweep,
                 "controller": None, "scheduler": None, "runs": {"edges": []}}  # fmt: skip
        return {"project": {"sweep": sweep}}
