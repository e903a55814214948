"""What the official OpenAI client makes of a guarded model server.

Reads the base URL and tokens as JSON on stdin, and prints what it got as JSON. Nothing of the
client is changed but its base URL and its key.
"""

import json
import sys

import openai

MESSAGES = [{"role": "user", "content": "Whom do I write to?"}]


def main():
    asked = json.load(sys.stdin)

    def client(token):
        # Retries would only make a refusal slow.
        return openai.OpenAI(base_url=asked["base_url"], api_key=token, max_retries=0)

    def chat(token, **options):
        return client(token).chat.completions.create(
            model="small-1", messages=MESSAGES, **options
        )

    def refused(call):
        try:
            call()
        except openai.APIStatusError as error:
            return {
                "type": type(error).__name__,
                "status": error.status_code,
                "code": error.code,
                "message": error.message,
                "retry_after": error.response.headers.get("retry-after"),
            }
        return None

    good = asked["good"]
    whole = chat(good)
    stream = [
        choice.delta.content or ""
        for chunk in chat(good, stream=True)
        for choice in chunk.choices
    ]
    embeddings = client(good).embeddings.create(model="small-1", input=["one", "two"])
    models = client(good).models.list()
    got = {
        "version": openai.__version__,
        "chat": whole.choices[0].message.content,
        "finish_reason": whole.choices[0].finish_reason,
        "tokens": whole.usage.total_tokens,
        "stream": stream,
        "embeddings": [one.embedding for one in embeddings.data],
        "models": [one.id for one in models.data],
        "expired": refused(lambda: chat(asked["expired"])),
        "stranger": refused(lambda: chat("no-token")),
        "denied": refused(lambda: chat(asked["denied"])),
        "over_quota": refused(lambda: (chat(asked["scarce"]), chat(asked["scarce"]))),
        "streamed_over_quota": refused(lambda: chat(asked["scarce"], stream=True)),
    }
    json.dump(got, sys.stdout)


main()
