"""What the official clients make of masked streams.

Reads which client to use, the base URL and the key as JSON on stdin, and prints the pieces of text
that it got, by the way in which it was asked, as JSON.
"""

import json
import sys

QUESTION = [{"role": "user", "content": "Whom do I write to?"}]


def of_openai(asked):
    import openai

    client = openai.OpenAI(
        base_url=asked["base_url"] + "/v1", api_key=asked["key"], max_retries=0
    )
    chat = client.chat.completions.create(
        model="small-1", messages=QUESTION, stream=True
    )
    responses = client.responses.create(
        model="small-1", input="Whom do I write to?", stream=True
    )
    got = {"chat": [], "responses": [], "responses, whole": []}
    for chunk in chat:
        got["chat"] += [choice.delta.content or "" for choice in chunk.choices]
    for event in responses:
        if event.type == "response.output_text.delta":
            got["responses"].append(event.delta)
        if event.type == "response.completed":
            got["responses, whole"].append(event.response.output_text)
    return got


def of_anthropic(asked):
    import anthropic

    # The token goes where the policy looks for it.
    client = anthropic.Anthropic(
        base_url=asked["base_url"], auth_token=asked["key"], max_retries=0
    )
    with client.messages.stream(
        model="small-1", max_tokens=100, messages=QUESTION
    ) as stream:
        pieces = list(stream.text_stream)
        whole = stream.get_final_message().content[0].text
    return {"messages": pieces, "messages, whole": [whole]}


def main():
    asked = json.load(sys.stdin)
    ways = {"openai": of_openai, "anthropic": of_anthropic}
    json.dump(ways[asked["client"]](asked), sys.stdout)


main()
