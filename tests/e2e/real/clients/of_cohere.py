"""What Cohere's client makes of a guarded server."""

import cohere
from told import refused, tell

MESSAGES = [{"role": "user", "content": "Whom do I write to?"}]

# Retries would only make a refusal slow.
ONCE = {"max_retries": 0, "timeout_in_seconds": 30}


def described(error):
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return {
        "status": error.status_code,
        "message": error.body["message"],
        "retry_after": headers.get("retry-after"),
    }


def work(asked):
    def client(token):
        return cohere.ClientV2(
            api_key=token, base_url=asked["base_url"], log_warning_experimental_features=False
        )

    def with_token(name):
        return client(asked[name])

    def chat(client, model="small-1"):
        answer = client.chat(model=model, messages=MESSAGES, request_options=ONCE)
        return answer.message.content[0].text

    def stream(client, model="small-1"):
        events = client.chat_stream(model=model, messages=MESSAGES, request_options=ONCE)
        deltas = [event for event in events if event.type == "content-delta"]
        return "".join(event.delta.message.content.text for event in deltas)

    def rerank(client):
        answer = client.rerank(
            model="small-1", query="a", documents=["b", "c"], request_options=ONCE
        )
        return [result.index for result in answer.results]

    good = with_token("good")
    calls = {
        "expired": lambda: chat(with_token("expired")),
        "malformed": lambda: chat(client("no-token")),
        "missing": lambda: chat(client("")),
        "denied": lambda: chat(with_token("denied")),
        "denied model": lambda: chat(good, "large-1"),
        "denied model, streamed": lambda: stream(good, "large-1"),
        "denied operation": lambda: good.datasets.delete("set-1", request_options=ONCE),
        "over quota": lambda: [chat(with_token("scarce")) for _ in range(2)],
    }
    return {
        "allowed": {"chat": chat(good), "stream": stream(good), "rerank": rerank(good)},
        "refused": {name: refused(described, call) for name, call in calls.items()},
    }


tell(work)
