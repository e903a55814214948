"""The servers of Anthropic, Cohere, Ollama, OpenAI and Qdrant in one: each says the same, in its own
form, over HTTP/1 and HTTP/2 on one port. `GET /read` says how many requests came.

Arguments: a folder, which it does not need, and the port.
"""

import asyncio
import json
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config

SAID = "Hello from the model."

_read = 0


def events(*data):
    """A stream of events, named by their types."""
    lines = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in data]
    return "text/event-stream", "".join(lines).encode()


def whole(body):
    return "application/json", json.dumps(body).encode()


def anthropic(streamed):
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": SAID}],
        "model": "small-1",
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 5},
    }
    if not streamed:
        return whole(message)
    return events(
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": SAID},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    )


def cohere(streamed):
    if not streamed:
        content = [{"type": "text", "text": SAID}]
        message = {"role": "assistant", "content": content}
        return whole({"id": "1", "finish_reason": "COMPLETE", "message": message})
    return events(
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
        {
            "type": "content-start",
            "index": 0,
            "delta": {"message": {"content": {"type": "text", "text": ""}}},
        },
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": SAID}}}},
        {"type": "content-end", "index": 0},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
    )


def ollama(streamed):
    line = {
        "model": "small-1",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": SAID},
        "done": True,
    }
    kind, body = whole(line)
    return ("application/x-ndjson", body + b"\n") if streamed else (kind, body)


def openai(streamed):
    answer = {"id": "1", "created": 1, "model": "small-1"}
    if not streamed:
        message = {"role": "assistant", "content": SAID}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return whole({**answer, "object": "chat.completion", "choices": [choice]})
    choice = {"index": 0, "delta": {"content": SAID}, "finish_reason": None}
    chunk = {**answer, "object": "chat.completion.chunk", "choices": [choice]}
    return "text/event-stream", f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()


STREAMED = {
    "/api/chat": ollama,
    "/v1/chat/completions": openai,
    "/v1/messages": anthropic,
    "/v2/chat": cohere,
}

WHOLE = {
    "/api/embed": {"model": "small-1", "embeddings": [[0.5], [0.25]]},
    "/api/tags": {"models": [{"model": "small-1", "name": "small-1"}]},
    "/collections/notes/points": {
        "result": {"operation_id": 1, "status": "completed"},
        "status": "ok",
        "time": 0.1,
    },
    "/collections/notes/points/query": {
        "result": {"points": [{"id": 1, "version": 1, "score": 0.5}]},
        "status": "ok",
        "time": 0.1,
    },
    "/v1/messages/count_tokens": {"input_tokens": 9},
    "/v2/rerank": {"id": "1", "results": [{"index": 1, "relevance_score": 0.9}]},
}

# Messages in protobuf: a query that finds nothing, and an update (field 1) with its number (field 1)
# that is completed (field 2).
GRPC = {
    "/qdrant.Points/Query": b"",
    "/qdrant.Points/Upsert": b"\x0a\x04\x08\x01\x10\x02",
}


async def app(scope, receive, send):
    global _read
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    path = scope["path"]
    if path == "/read":
        await say(send, 200, whole({"read": _read}))
        return
    _read += 1
    if path in GRPC:
        await call(send, GRPC[path])
    elif path in STREAMED:
        await say(send, 200, STREAMED[path](json.loads(body).get("stream", False)))
    elif path in WHOLE:
        await say(send, 200, whole(WHOLE[path]))
    else:
        # None of the clients' errors is for this.
        await say(send, 418, whole({"reached": path}))


async def say(send, status, said):
    kind, body = said
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def call(send, message):
    headers = [(b"content-type", b"application/grpc")]
    start = {"type": "http.response.start", "status": 200, "headers": headers, "trailers": True}
    await send(start)
    frame = b"\x00" + len(message).to_bytes(4, "big") + message
    await send({"type": "http.response.body", "body": frame})
    await send({"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]})


config = Config()
config.bind = [f"127.0.0.1:{int(sys.argv[2])}"]
config.accesslog = config.errorlog = None
# Long enough that no connection ends while a request is on its way.
config.keep_alive_timeout = 600
asyncio.run(serve(app, config))
