"""What the readers beside this file share: routes, and what a server makes of what it read.

A reader is a small model server on a framework that people use. It answers every request that one of
its routes takes with what it read: the operation, the model, how many answers are asked for, and the
texts. `GET /read` says how many requests came to a route.
"""

import json
import sys
import threading

# Set on every answer of a route, and on nothing that a framework says by itself.
HEADER = "x-reader"

# Method, path (`{}` is one segment, `{...}` the rest), operation, and how the body is read.
ROUTES = [
    ("POST", "/v1/chat/completions", "inference.chat", "json"),
    ("POST", "/v1/completions", "inference.completion", "json"),
    ("POST", "/v1/embeddings", "embedding.create", "json"),
    ("POST", "/v1/audio/transcriptions", "inference.generate", "form"),
    ("GET", "/v1/models", "model.list", None),
    ("GET", "/v1/models/{...}", "model.list", None),
    ("DELETE", "/v1/models/{...}", "model.delete", None),
    ("GET", "/v1/files", "file.read", None),
    ("POST", "/v1/files", "file.write", "form"),
    ("GET", "/v1/files/{}/content", "file.read", None),
    ("POST", "/v1/load_lora_adapter", "model.load", "json"),
]

_read = 0
_lock = threading.Lock()


class Unread(Exception):
    """The server can't make anything of the request, and says 400."""


def port():
    """Where to listen. The first argument is a folder, which readers need not."""
    return int(sys.argv[2])


def count():
    """How many requests came to a route."""
    return {"read": _read}


def came():
    global _read
    with _lock:
        _read += 1


def find(method, path):
    """The route that a method and a decoded path have, and what stands for the path's `{}`."""
    for route in ROUTES:
        taken = _matches(route[1], path)
        if route[0] == method and taken is not None:
            return route, taken
    return None, None


def _matches(pattern, path):
    have, want = path.split("/"), pattern.split("/")
    taken = []
    for index, segment in enumerate(want):
        if segment == "{...}":
            rest = "/".join(have[index:])
            return [*taken, rest] if rest else None
        if index >= len(have) or (segment != "{}" and segment != have[index]):
            return None
        if segment == "{}":
            taken.append(have[index])
    return taken if len(have) == len(want) else None


def told(operation, taken=(), members=None):
    """What a server that does the operation makes of the members that it read."""
    members = members or {}
    model, items, texts = members.get("model"), None, []
    if operation == "inference.chat":
        items = _number(members.get("n"))
        texts = [text for one in _list(members.get("messages")) for text in _contents(one)]
    elif operation == "inference.completion":
        texts = _texts(members.get("prompt"))
        items = _number(members.get("n")) * max(len(texts), 1)
    elif operation == "embedding.create":
        texts = _texts(members.get("input"))
        items = max(len(texts), 1)
    elif operation == "inference.generate":
        texts = _texts(members.get("prompt"))
    elif operation in ("model.list", "model.delete"):
        model = taken[0] if taken else None
    elif operation == "model.load":
        model = members.get("lora_name")
    else:
        model = None
    if model is not None and not isinstance(model, str):
        raise Unread("a model's name is a text")
    return {"operation": operation, "model": model, "items": items, "texts": texts}


def _number(value):
    # As servers do that take what a Python `int` takes.
    try:
        return 1 if value is None else int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unread(str(error)) from None


def _list(value):
    if not isinstance(value, list):
        raise Unread("a list is wanted")
    return value


def _texts(value):
    if value is None:
        return []
    # One list of numbers is one text in tokens.
    tokens = isinstance(value, list) and value and all(type(one) is int for one in value)
    several = value if isinstance(value, list) and not tokens else [value]
    return [one if isinstance(one, str) else json.dumps(one) for one in several]


def _contents(message):
    if not isinstance(message, dict):
        raise Unread("a message is an object")
    content = message.get("content")
    if isinstance(content, list):
        return [part.get("text", "") for part in content if isinstance(part, dict)]
    return _texts(content)


def loaded(text):
    """The members of a JSON body, as Python reads it."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unread(str(error)) from None
    if not isinstance(members, dict):
        raise Unread("an object is wanted")
    return members
