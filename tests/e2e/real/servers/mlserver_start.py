"""MLServer with models that repeat.

Arguments: a folder of its own, the HTTP port, the gRPC port, and the models' names. Becomes the
server, so that whoever ends this process ends that.
"""

import json
import os
import sys
from pathlib import Path


def main():
    folder, http, grpc, *models = sys.argv[1:]
    folder = Path(folder) / "models"
    folder.mkdir()
    settings = {
        "debug": False,
        "host": "127.0.0.1",
        "http_port": int(http),
        "grpc_port": int(grpc),
        "metrics_endpoint": None,
        # Models run in the server's own process.
        "parallel_workers": 0,
        "gzip_enabled": False,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    for name in models:
        (folder / name).mkdir()
        model = {"name": name, "implementation": "mlserver_model.Repeats"}
        (folder / name / "model-settings.json").write_text(json.dumps(model))
    environment = dict(os.environ)
    environment["PYTHONPATH"] = str(Path(__file__).parent)
    environment["MODELS_READ"] = str(folder.parent / "read")
    # It writes into the folder where it is started.
    os.chdir(folder)
    server = str(Path(sys.executable).parent / "mlserver")
    os.execve(server, [server, "start", str(folder)], environment)


main()
