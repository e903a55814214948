#!/usr/bin/env python3
"""Makes the desk's image from its binary, without a Docker engine or a base image.

    python3 envoy/image/oci.py BINARY FOLDER [--tar FILE] [--name NAME:TAG]

FOLDER becomes an OCI image layout (index.json, oci-layout, blobs): what skopeo, crane, podman and buildah take.
--tar writes the same as one file, which `docker load` takes too. The same binary gives the same bytes and so the
same digest, on whatever machine and at whatever time: what has a time is of 1970.

The binary must be static, since there is nothing in the image but it.
"""

import argparse
import gzip
import hashlib
import io
import json
import struct
import sys
import tarfile
from pathlib import Path

USER = 65532
DATA = "var/lib/portcullis"
MACHINES = {62: "amd64", 183: "arm64"}
PT_INTERP = 3


def architecture(binary: bytes) -> str:
    """The architecture of a static ELF executable of 64 bits; anything else is refused."""
    if binary[:6] != b"\x7fELF\x02\x01":
        raise ValueError("found no ELF of 64 bits, little endian; expected a Linux executable")
    machine = struct.unpack_from("<H", binary, 18)[0]
    if machine not in MACHINES:
        raise ValueError(f"found machine {machine}; expected x86-64 or AArch64")
    offset = struct.unpack_from("<Q", binary, 32)[0]
    size, count = struct.unpack_from("<HH", binary, 54)
    for number in range(count):
        if struct.unpack_from("<I", binary, offset + number * size)[0] == PT_INTERP:
            raise ValueError("found a program that needs a loader and libraries; expected a static one (README.md)")
    return MACHINES[machine]


def entry(name: str, kind: bytes, mode: int, user: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.uid, info.gid = kind, mode, user, user
    return info


def layer(binary: bytes) -> bytes:
    """The image's files as a tar file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:

        def folder(name: str, mode: int = 0o755, user: int = 0) -> None:
            tar.addfile(entry(name + "/", tarfile.DIRTYPE, mode, user))

        def file(name: str, content: bytes, mode: int) -> None:
            info = entry(name, tarfile.REGTYPE, mode)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))

        folder("etc")
        file("etc/passwd", f"portcullis:x:{USER}:{USER}::/{DATA}:/sbin/nologin\n".encode(), 0o644)
        file("etc/group", f"portcullis:x:{USER}:\n".encode(), 0o644)
        folder("usr")
        folder("usr/bin")
        file("usr/bin/portcullis", binary, 0o755)
        folder("var")
        folder("var/lib")
        # A volume that is new takes its owner from here.
        folder(DATA, 0o700, USER)
    return out.getvalue()


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def as_json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def image(binary: bytes, name: str) -> tuple[dict[str, bytes], str]:
    """The layout's files by their paths, and the digest of the image."""
    files: dict[str, bytes] = {}

    def blob(media_type: str, content: bytes) -> dict[str, object]:
        files["blobs/sha256/" + digest(content).removeprefix("sha256:")] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    arch = architecture(binary)
    version = name.rsplit(":", 1)[1]
    content = layer(binary)
    packed = blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(content, 9, mtime=0))
    config = blob(
        "application/vnd.oci.image.config.v1+json",
        as_json(
            {
                "architecture": arch,
                "os": "linux",
                "created": "1970-01-01T00:00:00Z",
                "config": {
                    "User": f"{USER}:{USER}",
                    "Entrypoint": ["/usr/bin/portcullis"],
                    "Cmd": ["desk", "--listen=0.0.0.0:7070", "--grpc=0.0.0.0:7071"],
                    "Env": ["PATH=/usr/bin"],
                    "WorkingDir": "/" + DATA,
                    "ExposedPorts": {"7070/tcp": {}, "7071/tcp": {}},
                    "Labels": {
                        "org.opencontainers.image.title": "portcullis-desk",
                        "org.opencontainers.image.version": version,
                        "org.opencontainers.image.licenses": "Apache-2.0",
                    },
                },
                "rootfs": {"type": "layers", "diff_ids": [digest(content)]},
                "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "envoy/image/oci.py"}],
            }
        ),
    )
    manifest = blob(
        "application/vnd.oci.image.manifest.v1+json",
        as_json(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": config,
                "layers": [packed],
            }
        ),
    )
    listed = manifest | {
        "platform": {"architecture": arch, "os": "linux"},
        "annotations": {"org.opencontainers.image.ref.name": version, "io.containerd.image.name": name},
    }
    files["index.json"] = as_json(
        {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [listed]}
    )
    files["oci-layout"] = as_json({"imageLayoutVersion": "1.0.0"})
    # What `docker load` of engines without containerd's store reads.
    blobs = {key: "blobs/sha256/" + str(one["digest"]).removeprefix("sha256:") for key, one in
             (("config", config), ("layer", packed))}
    files["manifest.json"] = as_json([{"Config": blobs["config"], "RepoTags": [name], "Layers": [blobs["layer"]]}])
    return files, str(manifest["digest"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tar", type=Path, help="the same as one file")
    parser.add_argument("--name", default="portcullis-desk:0.1.0", help="the image's name and tag")
    asked = parser.parse_args()
    if ":" not in asked.name.rsplit("/", 1)[-1]:
        parser.error(f"--name: found {asked.name}; expected NAME:TAG")
    try:
        files, made = image(asked.binary.read_bytes(), asked.name)
    except (OSError, ValueError) as error:
        print(f"{asked.binary}: {error}", file=sys.stderr)
        return 1
    for name, content in files.items():
        path = asked.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if asked.tar:
        with tarfile.open(asked.tar, "w", format=tarfile.USTAR_FORMAT) as tar:
            for name, content in sorted(files.items()):
                info = entry(name, tarfile.REGTYPE, 0o644)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    print(f"{asked.name} {made}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
