"""What official clients with little patience get while their requests wait for a person.

Reads the base URL and a key for each client as JSON on stdin, and prints what each got: a text, or an error,
and how often it asked.
"""

import concurrent.futures
import json
import sys

import anthropic
import openai

QUESTION = [{"role": "user", "content": "May I?"}]
PATIENCE = 5.0


def counted(package, name, **options):
    tries = []
    http = package.DefaultHttpxClient(event_hooks={"request": [tries.append]})
    # Their own number of retries, and their own pauses.
    client_class = getattr(package, name)
    return client_class(http_client=http, timeout=PATIENCE, **options), tries


def of_openai(base_url, key):
    client, tries = counted(openai, "OpenAI", base_url=base_url + "/v1", api_key=key)
    got = client.chat.completions.create(model="small-1", messages=QUESTION)
    return got.choices[0].message.content, tries


def of_anthropic(base_url, key):
    client, tries = counted(anthropic, "Anthropic", base_url=base_url, auth_token=key)
    got = client.messages.create(model="small-1", max_tokens=10, messages=QUESTION)
    return got.content[0].text, tries


def one(base_url, number, key):
    ask = of_anthropic if number % 2 else of_openai
    try:
        text, tries = ask(base_url, key)
        return {"text": text, "tries": len(tries)}
    except (openai.OpenAIError, anthropic.AnthropicError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    asked = json.load(sys.stdin)
    with concurrent.futures.ThreadPoolExecutor(len(asked["keys"])) as pool:
        jobs = [
            pool.submit(one, asked["base_url"], number, key)
            for number, key in enumerate(asked["keys"])
        ]
        json.dump([job.result() for job in jobs], sys.stdout)


main()
