"""NVIDIA's Triton Inference Server, from the package nvidia-pytriton, with models that repeat.

Arguments: a folder of its own, the HTTP port, the gRPC port, and the models' names. Becomes the
server, so that whoever ends this process ends that.
"""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytriton

CONFIG = """
backend: "python"
max_batch_size: 64
input [
  { name: "rows" data_type: TYPE_FP32 dims: [ -1 ] optional: true },
  { name: "text" data_type: TYPE_STRING dims: [ -1 ] optional: true }
]
output [ { name: "said" data_type: TYPE_STRING dims: [ 1 ] } ]
"""

# What it answers in each row: the model, how many rows there are, and the texts of all of them. The
# same is a line of the file `read`.
MODEL = '''
import json
import sys

sys.path.append({packages!r})
import numpy as np
import triton_python_backend_utils as triton


class TritonPythonModel:
    def initialize(self, args):
        self.name = args["model_name"]

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        tensors = dict((one.name(), one.as_numpy()) for one in request.inputs())
        rows = max(len(tensor) for tensor in tensors.values())
        texts = [one.decode() for one in tensors.get("text", np.array([])).flatten()]
        said = json.dumps(dict(model=self.name, rows=rows, texts=texts))
        with open({read!r}, "a") as read:
            read.write(said + "\\n")
        output = np.array([[said.encode()]] * rows, dtype=object)
        return triton.InferenceResponse([triton.Tensor("said", output)])
'''


def main():
    folder, http, grpc, *models = sys.argv[1:]
    folder = Path(folder)
    package = Path(pytriton.__file__).parent / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # The backend wants the program that runs models beside its library.
    backends = folder / "backends"
    shutil.copytree(package / "backends", backends)
    stub = package / "python_backend_stubs" / version / "triton_python_backend_stub"
    shutil.copy(stub, backends / "python")
    for name in models:
        model = folder / "models" / name
        (model / "1").mkdir(parents=True)
        (model / "config.pbtxt").write_text(CONFIG)
        (model / "1" / "model.py").write_text(
            # Whoever runs models looks for packages nowhere else.
            MODEL.format(
                packages=sysconfig.get_path("purelib"), read=str(folder / "read")
            )
        )
    environment = dict(os.environ)
    # Python's library, and those beside the package, which the copied program no longer finds.
    libraries = [
        sysconfig.get_config_var("LIBDIR"),
        *map(str, package.parent.parent.glob("nvidia_pytriton.libs")),
    ]
    environment["LD_LIBRARY_PATH"] = ":".join(libraries)
    server = str(package / "bin" / "tritonserver")
    arguments = {
        "model-repository": folder / "models",
        "backend-directory": backends,
        # Models may be loaded and unloaded, so that there is something to deny.
        "model-control-mode": "explicit",
        "load-model": "*",
        "http-address": "127.0.0.1",
        "http-port": http,
        "grpc-address": "127.0.0.1",
        "grpc-port": grpc,
        "allow-metrics": "false",
    }
    os.execve(
        server,
        [server, *(f"--{name}={value}" for name, value in arguments.items())],
        environment,
    )


main()
