"""What a client of MLServer's streams makes of a guarded server.

MLServer answers in a stream with the message that answers a call, where Triton has one around it. So
this speaks by MLServer's own description of the service.
"""

import json
import struct

import grpc
from mlserver.grpc.dataplane_pb2 import ModelInferRequest
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub
from told import tell


def request(model, texts):
    message = ModelInferRequest(model_name=model)
    tensor = message.inputs.add(name="text", datatype="BYTES", shape=[len(texts), 1])
    tensor.contents.bytes_contents.extend(text.encode() for text in texts)
    return message


def first(response):
    """What the model read, as it says in its first row."""
    tensor = response.outputs[0]
    if response.raw_output_contents:
        raw = response.raw_output_contents[0]
        (size,) = struct.unpack_from("<I", raw)
        return json.loads(raw[4 : 4 + size])
    return json.loads(tensor.contents.bytes_contents[0])


def streamed(stub, token, asked):
    """What comes back of a stream of (model, texts), up to its end or its first error."""
    answers, error = [], None
    waiting = iter(asked)
    calls = stub.ModelStreamInfer(
        (request(model, texts) for model, texts in waiting),
        metadata=[("authorization", f"Bearer {token}")],
        timeout=30,
    )
    try:
        for response in calls:
            answers.append(first(response))
    except grpc.RpcError as refused:
        # Told as the other client tells its own.
        error = {
            "type": "InferenceServerException",
            "status": str(refused.code()),
            "message": refused.details(),
        }
    return {"answers": answers, "error": error}


def work(asked):
    stub = GRPCInferenceServiceStub(grpc.insecure_channel(asked["address"]))
    good, probe = asked["good"], asked["probe"]
    hello = ("small-1", ["hello"])
    return {
        # All of a stream goes to the model of its first message.
        "allowed": streamed(stub, good, [hello, ("small-1", ["one", "two"])]),
        "expired": streamed(stub, asked["expired"], [hello]),
        "denied model": streamed(stub, good, [("large-1", ["hello"])]),
        "denied model, later": streamed(stub, good, [hello, ("large-1", ["hello"])]),
        "denied prompt, later": streamed(stub, good, [hello, ("small-1", [probe])]),
        "denied rows, later": streamed(stub, good, [hello, ("small-1", ["a"] * 5)]),
        "masked": streamed(stub, asked["masked"], [("small-1", [asked["secret"]])]),
    }


tell(work)
