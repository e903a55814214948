"""What Ollama's client makes of a guarded server."""

import ollama
from told import refused, tell

MESSAGES = [{"role": "user", "content": "Whom do I write to?"}]


def described(error):
    return {"status": error.status_code, "message": error.error}


def work(asked):
    def client(token=None):
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return ollama.Client(host=asked["base_url"], headers=headers, timeout=30)

    def with_token(name):
        return client(asked[name])

    def chat(client, model="small-1"):
        return client.chat(model=model, messages=MESSAGES).message.content

    def stream(client, model="small-1"):
        parts = client.chat(model=model, messages=MESSAGES, stream=True)
        return "".join(part.message.content or "" for part in parts)

    good = with_token("good")
    calls = {
        "expired": lambda: chat(with_token("expired")),
        "malformed": lambda: chat(client("no-token")),
        "missing": lambda: chat(client()),
        "denied": lambda: chat(with_token("denied")),
        "denied model": lambda: chat(good, "large-1"),
        "denied model, streamed": lambda: stream(good, "large-1"),
        "denied operation": lambda: good.delete("small-1"),
        "denied pull, streamed": lambda: list(good.pull("small-1", stream=True)),
        "over quota": lambda: [chat(with_token("scarce")) for _ in range(2)],
    }
    return {
        "allowed": {
            "chat": chat(good),
            "stream": stream(good),
            "embed": [list(one) for one in good.embed("small-1", ["a", "b"]).embeddings],
            "models": [one.model for one in good.list().models],
        },
        "refused": {name: refused(described, call) for name, call in calls.items()},
    }


tell(work)
