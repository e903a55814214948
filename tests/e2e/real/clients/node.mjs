// What the clients of OpenAI and Anthropic for Node make of a guarded server.
//
// Reads the base URL, tokens and the folder where both are installed as JSON on stdin, and prints
// what they got as JSON. Nothing of a client is changed but its base URL and its token.

import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const asked = JSON.parse(await text(process.stdin));
const installed = createRequire(pathToFileURL(`${asked.installed}/`));
const MESSAGES = [{ role: 'user', content: 'Whom do I write to?' }];
// Retries would only make a refusal slow.
const OPTIONS = { maxRetries: 0, timeout: 30_000 };

async function refused(describe, call) {
  try {
    await call();
  } catch (error) {
    return {
      type: error.constructor.name,
      status: error.status ?? null,
      text: String(error.message),
      retry_after: error.headers?.get('retry-after') ?? null,
      ...describe(error),
    };
  }
  return null;
}

async function told(describe, allowed, calls) {
  const got = { allowed: {}, refused: {} };
  for (const [name, call] of Object.entries(allowed)) got.allowed[name] = await call();
  for (const [name, call] of Object.entries(calls)) got.refused[name] = await refused(describe, call);
  return got;
}

async function ofOpenai() {
  const { default: OpenAI } = installed('openai');
  const client = (token) => new OpenAI({ ...OPTIONS, baseURL: `${asked.base_url}/v1`, apiKey: token });
  const chat = async (client, model = 'small-1') => {
    const answer = await client.chat.completions.create({ model, messages: MESSAGES });
    return answer.choices[0].message.content;
  };
  const stream = async (client, model = 'small-1') => {
    let said = '';
    const chunks = await client.chat.completions.create({ model, messages: MESSAGES, stream: true });
    for await (const chunk of chunks) said += chunk.choices[0]?.delta.content ?? '';
    return said;
  };
  const good = client(asked.good);
  const describe = (error) => ({ kind: error.type ?? null, code: error.code ?? null });
  return told(describe, { chat: () => chat(good), stream: () => stream(good) }, {
    expired: () => chat(client(asked.expired)),
    malformed: () => chat(client('no-token')),
    denied: () => chat(client(asked.denied)),
    'denied model': () => chat(good, 'large-1'),
    'denied model, streamed': () => stream(good, 'large-1'),
    'denied operation': () => good.models.delete('small-1'),
    'over quota': async () => [await chat(client(asked.scarce)), await chat(client(asked.scarce))],
  });
}

async function ofAnthropic() {
  const { default: Anthropic } = installed('@anthropic-ai/sdk');
  const with_ = (options) => new Anthropic({ ...OPTIONS, baseURL: asked.base_url, apiKey: null, ...options });
  const client = (token) => with_({ authToken: token });
  const body = (model) => ({ model, max_tokens: 100, messages: MESSAGES });
  const chat = async (client, model = 'small-1') => {
    const answer = await client.messages.create(body(model));
    return answer.content[0].text;
  };
  const stream = async (client, model = 'small-1') => client.messages.stream(body(model)).finalText();
  const good = client(asked.good);
  const in_header = with_({
    authToken: null,
    defaultHeaders: { 'x-api-key': asked.good, authorization: null },
  });
  const describe = (error) => ({
    kind: error.type ?? null,
    code: error.errorCode ?? null,
    message: error.apiMessage ?? null,
  });
  return told(describe, {
    chat: () => chat(good),
    'chat, in header': () => chat(in_header),
    stream: () => stream(good),
  }, {
    expired: () => chat(client(asked.expired)),
    malformed: () => chat(client('no-token')),
    denied: () => chat(client(asked.denied)),
    'denied model': () => chat(good, 'large-1'),
    'denied model, streamed': () => stream(good, 'large-1'),
    'denied operation': async () => { for await (const _ of good.messages.batches.list()); },
    'over quota': async () => [await chat(client(asked.scarce)), await chat(client(asked.scarce))],
  });
}

const got = { openai: await ofOpenai(), anthropic: await ofAnthropic() };
process.stdout.write(JSON.stringify(got));
