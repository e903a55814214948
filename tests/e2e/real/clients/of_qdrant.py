"""What Qdrant's client makes of a guarded server, over REST and over gRPC."""

import warnings
from urllib.parse import urlsplit

from qdrant_client import QdrantClient
from qdrant_client.models import PointStruct
from told import refused, tell


def described(error):
    """REST, gRPC and quotas have errors of different kinds."""
    if type(error).__name__ == "UnexpectedResponse":
        return {
            "status": error.status_code,
            "message": error.structured()["status"]["error"],
        }
    if type(error).__name__ == "ResourceExhaustedResponse":
        return {"message": error.message, "retry_after": error.retry_after_s}
    return {"status": error.code().name, "message": error.details()}


def work(asked):
    # The client warns of tokens that go over plain HTTP.
    warnings.simplefilter("ignore")
    port = urlsplit(asked["base_url"]).port

    def client(grpc, **options):
        return QdrantClient(
            url=asked["base_url"],
            grpc_port=port,
            prefer_grpc=grpc,
            check_compatibility=False,
            timeout=30,
            **options,
        )

    def with_token(grpc, name):
        return client(grpc, auth_token_provider=lambda: asked[name])

    def query(client):
        answer = client.query_points("notes", query=[0.5, 0.5], limit=3)
        return [point.id for point in answer.points]

    def upsert(client):
        points = [PointStruct(id=1, vector=[0.5, 0.5], payload={"text": "a"})]
        return client.upsert("notes", points=points).status.value

    got = {"allowed": {}, "refused": {}}
    for way, grpc in [("rest", False), ("grpc", True)]:
        good = with_token(grpc, "good")
        calls = {
            "expired": lambda: query(with_token(grpc, "expired")),
            "malformed": lambda: query(client(grpc, auth_token_provider=lambda: "no-token")),
            "missing": lambda: query(client(grpc)),
            "denied": lambda: query(with_token(grpc, "denied")),
            # Reading points out whole, and deleting a collection.
            "denied export": lambda: good.scroll("notes", limit=10),
            "denied operation": lambda: good.delete_collection("notes"),
            "over quota": lambda: [query(with_token(grpc, "scarce")) for _ in range(2)],
        }
        got["allowed"][way] = {
            "query": query(good),
            # The header of its own, without a scheme.
            "query, as key": query(client(grpc, api_key=asked["good"])),
            "upsert": upsert(good),
        }
        got["refused"][way] = {
            name: refused(described, call) for name, call in calls.items()
        }
    return got


tell(work)
