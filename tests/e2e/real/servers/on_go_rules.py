"""A reader by the rules of Go's net/http and encoding/json, which Ollama and many gateways have.

Names of members are found in any case, also by Unicode's simple folding; the last one of a name
holds; what follows the first value is not looked at; bytes that are no UTF-8 become U+FFFD; and no
content-type matters. Only the tables of the standard library are Python's.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from reading import HEADER, Unread, came, count, find, port, told

# Letters outside ASCII that fold to letters of ASCII.
FOLDED = {"\u017f": "s", "\u212a": "k"}

# The fields of the structs that bodies are read into: for objects, their own.
NAMES = {
    "model": None,
    "n": None,
    "prompt": None,
    "input": None,
    "lora_name": None,
    "messages": {"role": None, "content": {"type": None, "text": None}},
}


def fold(name):
    return "".join(FOLDED.get(letter, letter.lower()) for letter in name)


def struct(value, names):
    """A value as a struct with these fields has it."""
    if names is None:
        return value
    if isinstance(value, list):
        return [struct(one, names) for one in value]
    if not isinstance(value, Pairs):
        return value
    got = {}
    for name, inner in value.pairs:
        known = name if name in names else next((k for k in names if fold(k) == fold(name)), None)
        if known is not None:
            got[known] = struct(inner, names[known])
    return got


class Pairs:
    """An object with every member that was written, in order."""

    def __init__(self, pairs):
        self.pairs = pairs


def no_constant(name):
    raise ValueError(f"{name} is no JSON")


def members(body):
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    decoder = json.JSONDecoder(object_pairs_hook=Pairs, parse_constant=no_constant)
    try:
        value, _ = decoder.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise Unread(str(error)) from None
    if not isinstance(value, Pairs):
        raise Unread("an object is wanted")
    read = struct(value, NAMES)
    if type(read.get("n", 0)) not in (int, type(None)):
        raise Unread("cannot unmarshal into an int")
    return read


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer is sent as one.
    wbufsize = -1

    def body(self):
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def reply(self):
        body = self.body()
        # The URL's path is decoded once, and is what routers are given.
        path = unquote(self.path.split("?")[0], errors="replace")
        route, taken = find(self.command, path)
        if path == "/read":
            return self.say(200, count())
        if route is None:
            return self.say(404, {"error": "no route"})
        came()
        try:
            read = members(body) if route[3] == "json" else {}
            if route[3] == "form":
                raise Unread("no forms here")
            return self.say(200, told(route[2], taken, read), routed=True)
        except Unread as error:
            return self.say(400, {"unread": str(error)}, routed=True)

    def say(self, status, said, routed=False):
        said = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        if routed:
            self.send_header(HEADER, "go-rules")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = reply

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", port()), Handler).serve_forever()
