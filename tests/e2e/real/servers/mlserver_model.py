"""A model for MLServer that answers in each row what it read: its name, how many rows there are, and
the texts of all of them. The same is a line of the file that MODELS_READ names."""

import json
import os

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceResponse


class Repeats(MLModel):
    async def predict(self, payload):
        rows = max(one.shape[0] for one in payload.inputs)
        texts = [text for one in payload.inputs if one.datatype == "BYTES" for text in flat(one.data)]
        said = json.dumps({"model": self.name, "rows": rows, "texts": texts})
        with open(os.environ["MODELS_READ"], "a") as read:
            read.write(said + "\n")
        output = StringCodec.encode_output("said", [said] * rows)
        return InferenceResponse(model_name=self.name, outputs=[output])

    async def predict_stream(self, payloads):
        async for payload in payloads:
            yield await self.predict(payload)


def flat(data):
    """A tensor's elements, however deep lists are."""
    if isinstance(data, bytes):
        return [data.decode()]
    if isinstance(data, str):
        return [data]
    return [one for inner in list(data) for one in flat(inner)]
