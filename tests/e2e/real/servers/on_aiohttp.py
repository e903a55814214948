"""A reader on aiohttp, which looks at charsets and encodings that others leave alone."""

from aiohttp import web
from reading import HEADER, Unread, came, count, find, loaded, port, told


async def members(request, kind):
    try:
        if kind == "json":
            return loaded(await request.text())
        if kind == "form":
            form = await request.post()
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except Exception as error:
        # Of some forms it says so in other ways than by an error of its own.
        raise Unread(repr(error)) from None
    return {}


async def read(request):
    if request.path == "/read":
        return web.json_response(count())
    route, taken = find(request.method, request.path)
    if route is None:
        return web.json_response({"error": "no route"}, status=404)
    came()
    headers = {HEADER: "aiohttp"}
    try:
        answer = told(route[2], taken, await members(request, route[3]))
        return web.json_response(answer, headers=headers)
    except Unread as error:
        return web.json_response({"unread": str(error)}, status=400, headers=headers)


app = web.Application()
app.router.add_route("*", "/{path:.*}", read)
web.run_app(app, host="127.0.0.1", port=port(), print=None)
