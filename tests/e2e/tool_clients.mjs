// A tool's turn, a picture and a vector, by the official clients.
//
// Reads the base URL, the key and the folder where both clients are installed as JSON on stdin, and
// prints what came as JSON.

import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const asked = JSON.parse(await text(process.stdin));
const installed = createRequire(pathToFileURL(`${asked.installed}/`));
const QUESTION = { role: 'user', content: 'Send it.' };
const OPTIONS = { maxRetries: 0, timeout: 30_000 };

async function ofAnthropic() {
  const { default: Anthropic } = installed('@anthropic-ai/sdk');
  const client = new Anthropic({ ...OPTIONS, baseURL: asked.base_url, authToken: asked.key });
  const turn = (messages) =>
    client.messages
      .stream({
        model: 'small-1',
        max_tokens: 4000,
        thinking: { type: 'enabled', budget_tokens: 2000 },
        tools: [{ name: 'send', input_schema: { type: 'object', properties: {} } }],
        messages,
      })
      .finalMessage();
  const answer = await turn([QUESTION]);
  const call = answer.content.at(-1);
  const result = { type: 'tool_result', tool_use_id: call.id, content: 'sent' };
  await turn([QUESTION, { role: 'assistant', content: answer.content }, { role: 'user', content: [result] }]);
  return { input: call.input, id: call.id };
}

async function ofOpenai() {
  const { default: OpenAI } = installed('openai');
  const client = new OpenAI({ ...OPTIONS, baseURL: `${asked.base_url}/v1`, apiKey: asked.key });
  let args = '';
  const stream = await client.chat.completions.create({ model: 'small-1', messages: [QUESTION], stream: true });
  for await (const chunk of stream) {
    for (const call of chunk.choices[0].delta.tool_calls ?? []) args += call.function.arguments;
  }
  const image = await client.images.generate({ model: 'small-1', prompt: 'a mill' });
  const vectors = await client.embeddings.create({ model: 'small-1', input: 'a' });
  return { input: JSON.parse(args), picture: image.data[0].b64_json, vector: Array.from(vectors.data[0].embedding) };
}

console.log(JSON.stringify({ anthropic: await ofAnthropic(), openai: await ofOpenai() }));
