"""Opens a file of age with an implementation of its own (pyrage, on top of rage).

Reads the identity and the file, in base64, as JSON on stdin, and prints what it says as JSON.
"""

import base64
import json
import sys

import pyrage

asked = json.load(sys.stdin)
identity = pyrage.x25519.Identity.from_str(asked["identity"])
plain = pyrage.decrypt(base64.b64decode(asked["sealed"]), [identity])
json.dump({"plain": base64.b64encode(plain).decode()}, sys.stdout)
