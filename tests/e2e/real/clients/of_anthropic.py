"""What Anthropic's client makes of a guarded server."""

import anthropic
from told import refused, tell

ASKED = {
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Whom do I write to?"}],
}


def described(error):
    return {
        "status": error.status_code,
        "kind": error.type,
        "code": error.error_code,
        "message": error.api_message,
        "retry_after": error.response.headers.get("retry-after"),
    }


def work(asked):
    def client(**options):
        # Retries would only make a refusal slow.
        return anthropic.Anthropic(
            base_url=asked["base_url"], max_retries=0, timeout=30, **options
        )

    def with_token(name):
        return client(auth_token=asked[name])

    def chat(client, model="small-1"):
        return client.messages.create(model=model, **ASKED).content[0].text

    def stream(client, model="small-1"):
        with client.messages.stream(model=model, **ASKED) as stream:
            return "".join(stream.text_stream)

    good = with_token("good")
    in_header = client(
        auth_token=None,
        default_headers={
            "x-api-key": asked["good"],
            "authorization": anthropic.omit,
        },
    )
    nothing = client(
        auth_token=None, default_headers={"authorization": anthropic.omit}
    )
    calls = {
        "expired": lambda: chat(with_token("expired")),
        "malformed": lambda: chat(client(auth_token="no-token")),
        "missing": lambda: chat(nothing),
        "denied": lambda: chat(with_token("denied")),
        "denied model": lambda: chat(good, "large-1"),
        "denied model, streamed": lambda: stream(good, "large-1"),
        "denied operation": lambda: list(good.messages.batches.list()),
        # A path that other vendors have too: what tells the client is its header.
        "shared path": lambda: list(with_token("denied").models.list()),
        "over quota": lambda: [chat(with_token("scarce")) for _ in range(2)],
    }
    return {
        "allowed": {
            "chat": chat(good),
            "chat, as key": chat(client(api_key=asked["good"])),
            "chat, in header": chat(in_header),
            "stream": stream(good),
            "count": good.messages.count_tokens(
                model="small-1", messages=ASKED["messages"]
            ).input_tokens,
        },
        "refused": {name: refused(described, call) for name, call in calls.items()},
    }


tell(work)
