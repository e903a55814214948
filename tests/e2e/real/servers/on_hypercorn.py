"""A reader on hypercorn with nothing between: it decodes bodies by their content-encoding, takes
whatever Python takes for JSON in any of Unicode's encodings, and looks at no content-type."""

import asyncio
import gzip
import json
import zlib

from hypercorn.asyncio import serve
from hypercorn.config import Config
from reading import HEADER, Unread, came, count, find, loaded, port, told


def decoded(body, encodings):
    for encoding in reversed([one.strip().lower() for one in encodings if one.strip()]):
        try:
            if encoding in ("gzip", "x-gzip"):
                body = gzip.decompress(body)
            elif encoding == "deflate":
                body = zlib.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            raise Unread(str(error)) from None
    return body


def answer(method, path, headers, body):
    if path == "/read":
        return 200, count(), False
    route, taken = find(method, path)
    if route is None:
        return 404, {"error": "no route"}, False
    came()
    try:
        members = {}
        if route[3] == "json":
            encodings = [value for name, value in headers if name == "content-encoding"]
            members = loaded(decoded(body, ",".join(encodings).split(",")))
        elif route[3] == "form":
            raise Unread("no forms here")
        return 200, told(route[2], taken, members), True
    except Unread as error:
        return 400, {"unread": str(error)}, True


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        body += event.get("body", b"")
        more = event.get("more_body", False)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    status, said, routed = answer(scope["method"], scope["path"], headers, body)
    reply = [(b"content-type", b"application/json")]
    if routed:
        reply.append((HEADER.encode(), b"hypercorn"))
    await send({"type": "http.response.start", "status": status, "headers": reply})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})


config = Config()
config.bind = [f"127.0.0.1:{port()}"]
config.accesslog = config.errorlog = None
# Long enough that no connection ends while a request is on its way.
config.keep_alive_timeout = 600
asyncio.run(serve(app, config))
