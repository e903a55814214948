"""A reader on Flask and waitress, which takes a form where there is no JSON, whatever the
content-type, and another method where a header or the query names one, as some stacks do."""

from urllib.parse import parse_qs

from flask import Flask, jsonify, request
from reading import HEADER, ROUTES, Unread, came, count, loaded, port, told
from waitress import serve

app = Flask("reader")

OVERRIDES = [
    "HTTP_X_HTTP_METHOD_OVERRIDE",
    "HTTP_X_HTTP_METHOD",
    "HTTP_X_METHOD_OVERRIDE",
]


def overridden(inner):
    def outer(environ, start):
        if environ["REQUEST_METHOD"] == "POST":
            named = [environ[name] for name in OVERRIDES if name in environ]
            named += parse_qs(environ.get("QUERY_STRING", "")).get("_method", [])
            if named:
                environ["REQUEST_METHOD"] = named[0].upper()
        return inner(environ, start)

    return outer


def members(kind):
    if kind == "json":
        given = request.get_json(force=True, silent=True)
        if isinstance(given, dict):
            return given
        if request.form:
            return request.form.to_dict()
        return loaded(request.get_data())
    return request.form.to_dict()


def reader(operation, kind):
    def read(**taken):
        came()
        headers = {HEADER: "flask"}
        try:
            return jsonify(told(operation, list(taken.values()), members(kind))), 200, headers
        except Unread as error:
            return jsonify({"unread": str(error)}), 400, headers

    return read


@app.get("/read")
def how_many():
    return jsonify(count())


for index, (method, path, operation, kind) in enumerate(ROUTES):
    rule = path.replace("{...}", "<path:rest>").replace("{}", "<one>")
    app.add_url_rule(rule, f"route-{index}", reader(operation, kind), methods=[method])

serve(overridden(app), host="127.0.0.1", port=port(), threads=4, _quiet=True)
