"""What the client of KServe's protocol makes of a guarded server, over HTTP and over gRPC.

Beside tokens it is asked for `address`, for `binary` (whether the server knows tensors behind the
JSON, which is this client's own way over HTTP), and for `streams` (whether its streams have the
messages that this client knows).
"""

import json
import queue

import numpy
import tritonclient.grpc
import tritonclient.http
import tritonclient.utils
from told import refused, tell


def described(error):
    return {"status": error.status(), "message": error.message()}


class Http:
    kit = tritonclient.http

    def __init__(self, asked, binary):
        self.client = tritonclient.http.InferenceServerClient(
            asked["address"], network_timeout=30, connection_timeout=30
        )
        self.tensor_options = {"binary_data": binary}


class Grpc:
    kit = tritonclient.grpc

    def __init__(self, asked):
        self.client = tritonclient.grpc.InferenceServerClient(asked["address"])
        self.tensor_options = {}


def inputs(way, rows, texts):
    """A tensor of so many rows, and one of texts, a row each."""
    numbers = numpy.zeros((rows, 2), dtype=numpy.float32)
    tensors = [way.kit.InferInput("rows", list(numbers.shape), "FP32")]
    tensors[0].set_data_from_numpy(numbers, **way.tensor_options)
    if texts:
        array = numpy.array([[text.encode()] for text in texts], dtype=object)
        tensors.append(way.kit.InferInput("text", list(array.shape), "BYTES"))
        tensors[1].set_data_from_numpy(array, **way.tensor_options)
    return tensors


def headers(token):
    return {} if token is None else {"authorization": f"Bearer {token}"}


def said(result):
    """What the model read, as it says in its first row."""
    text = result.as_numpy("said").flatten()[0]
    return json.loads(text)


def infer(way, token, model="small-1", rows=2, texts=("one", "two")):
    return said(way.client.infer(model, inputs(way, rows, texts), headers=headers(token)))


def stream(way, token, asked):
    """What comes back of a stream of (model, texts), up to its end or its first error."""
    came = queue.Queue()
    way.client.start_stream(
        lambda result, error: came.put((result, error)), headers=headers(token)
    )
    got, error = [], None
    try:
        for model, texts in asked:
            try:
                way.client.async_stream_infer(model, inputs(way, len(texts), texts))
            except tritonclient.utils.InferenceServerException:
                # It has ended: why, comes as its last answer.
                pass
            result, error = came.get(timeout=30)
            if error is not None:
                break
            got.append(said(result))
    finally:
        way.client.stop_stream(cancel_requests=error is not None)
    return got, error


def streamed(way, token, asked):
    got, error = stream(way, token, asked)
    return {
        "answers": got,
        "error": None if error is None else {"type": type(error).__name__, **described(error)},
    }


def unary(way, asked):
    good = asked["good"]
    small = {
        "infer": infer(way, good),
        "infer, four rows": infer(way, good, rows=4, texts=()),
        "metadata": way.client.get_model_metadata("small-1", headers=headers(good)) is not None,
        "ready": way.client.is_server_ready(headers=headers(good)),
    }
    calls = {
        "expired": lambda: infer(way, asked["expired"]),
        "malformed": lambda: infer(way, "no-token"),
        "missing": lambda: infer(way, None),
        "denied": lambda: infer(way, asked["denied"]),
        "denied model": lambda: infer(way, good, model="large-1"),
        "denied rows": lambda: infer(way, good, rows=5, texts=()),
        "denied rows of texts": lambda: infer(way, good, rows=1, texts=["a"] * 5),
        "denied prompt": lambda: infer(way, good, texts=["a", asked["probe"]]),
        "denied operation": lambda: way.client.unload_model("spare-1", headers=headers(good)),
        "over quota": lambda: [infer(way, asked["scarce"]) for _ in range(2)],
    }
    got = {
        "allowed": small,
        "refused": {name: refused(described, call) for name, call in calls.items()},
        "masked": None,
    }
    # Masked, or refused since it can't be: what it can't be is the text itself.
    try:
        got["masked"] = infer(way, asked["masked"], rows=1, texts=[asked["secret"]])
    except Exception as error:
        got["masked"] = {"error": str(error)}
    return got


def streams(way, asked):
    good, probe = asked["good"], asked["probe"]
    hello = ("small-1", ["hello"])
    return {
        "allowed": streamed(way, good, [hello, ("small-2", ["one", "two"])]),
        "expired": streamed(way, asked["expired"], [hello]),
        "denied model": streamed(way, good, [("large-1", ["hello"])]),
        "denied model, later": streamed(way, good, [hello, ("large-1", ["hello"])]),
        "denied prompt, later": streamed(way, good, [hello, ("small-1", [probe])]),
        "denied rows, later": streamed(way, good, [hello, ("small-1", ["a"] * 5)]),
        "masked": streamed(way, asked["masked"], [("small-1", [asked["secret"]])]),
    }


def work(asked):
    got = {"http": unary(Http(asked, False), asked), "grpc": unary(Grpc(asked), asked)}
    if asked["binary"]:
        got["http, binary"] = unary(Http(asked, True), asked)
    if asked["streams"]:
        got["streams"] = streams(Grpc(asked), asked)
    return got


tell(work)
