"""A reader on FastAPI and uvicorn, whose routes name the types of what they take, as vLLM's do."""

import uvicorn
from fastapi import FastAPI, File, Form, Request, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from reading import HEADER, Unread, came, count, port, told

app = FastAPI()


class Chat(BaseModel):
    model: str | None = None
    messages: list[dict]
    n: int | None = None


class Completion(BaseModel):
    model: str | None = None
    prompt: str | list[str] | list[int] | list[list[int]] | None = None
    n: int | None = None


class Embedding(BaseModel):
    model: str | None = None
    input: str | list[str] | list[int] | list[list[int]]


class Adapter(BaseModel):
    lora_name: str
    lora_path: str = ""


def read(operation, taken=(), members=None):
    came()
    headers = {HEADER: "fastapi"}
    try:
        return JSONResponse(told(operation, taken, members), headers=headers)
    except Unread as error:
        return JSONResponse({"unread": str(error)}, status_code=400, headers=headers)


@app.get("/read")
async def how_many():
    return count()


@app.post("/v1/chat/completions")
async def chat(body: Chat):
    return read("inference.chat", members=body.model_dump())


@app.post("/v1/completions")
async def complete(body: Completion):
    return read("inference.completion", members=body.model_dump())


@app.post("/v1/embeddings")
async def embed(body: Embedding):
    return read("embedding.create", members=body.model_dump())


@app.post("/v1/load_lora_adapter")
async def load(body: Adapter):
    return read("model.load", members=body.model_dump())


@app.post("/v1/audio/transcriptions")
async def transcribe(
    file: UploadFile = File(), model: str | None = Form(None), prompt: str | None = Form(None)
):
    return read("inference.generate", members={"model": model, "prompt": prompt})


@app.post("/v1/files")
async def write(file: UploadFile = File(), purpose: str = Form("")):
    return read("file.write")


@app.get("/v1/models")
@app.get("/v1/files")
async def listed(request: Request):
    return read("file.read" if request.url.path.endswith("files") else "model.list")


@app.get("/v1/models/{model:path}")
async def show(model: str):
    return read("model.list", [model])


@app.delete("/v1/models/{model:path}")
async def delete(model: str):
    return read("model.delete", [model])


@app.get("/v1/files/{file}/content")
async def content(file: str):
    return read("file.read", [file])


if __name__ == "__main__":
    # Long enough that no connection ends while a request is on its way.
    uvicorn.run(
        app, host="127.0.0.1", port=port(), log_level="warning", timeout_keep_alive=600
    )
