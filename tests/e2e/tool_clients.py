"""A tool's turn, a picture and a vector, by the official clients.

Reads the base URL and the key as JSON on stdin, and prints what came as JSON.
"""

import json
import sys

QUESTION = {"role": "user", "content": "Send it."}
SCHEMA = {"type": "object", "properties": {}}


def of_anthropic(asked):
    import anthropic

    client = anthropic.Anthropic(
        base_url=asked["base_url"], auth_token=asked["key"], max_retries=0
    )

    def turn(messages):
        with client.messages.stream(
            model="small-1",
            max_tokens=4000,
            thinking={"type": "enabled", "budget_tokens": 2000},
            tools=[{"name": "send", "input_schema": SCHEMA}],
            messages=messages,
        ) as stream:
            return stream.get_final_message()

    answer = turn([QUESTION])
    call = answer.content[-1]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sent"}
    turn(
        [
            QUESTION,
            {"role": "assistant", "content": answer.content},
            {"role": "user", "content": [result]},
        ]
    )
    return {"input": call.input, "id": call.id}


def of_openai(asked):
    import openai

    client = openai.OpenAI(
        base_url=asked["base_url"] + "/v1", api_key=asked["key"], max_retries=0
    )
    arguments = ""
    for chunk in client.chat.completions.create(
        model="small-1", messages=[QUESTION], stream=True
    ):
        for call in chunk.choices[0].delta.tool_calls or []:
            arguments += call.function.arguments
    image = client.images.generate(model="small-1", prompt="a mill")
    vectors = client.embeddings.create(model="small-1", input="a")
    return {
        "input": json.loads(arguments),
        "picture": image.data[0].b64_json,
        "vector": vectors.data[0].embedding,
    }


def main():
    asked = json.load(sys.stdin)
    json.dump({"anthropic": of_anthropic(asked), "openai": of_openai(asked)}, sys.stdout)


main()
