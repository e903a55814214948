"""What the drivers beside this file share: JSON in, JSON out, and how a client's errors are told.

A driver reads the base URL and tokens as JSON on stdin, and prints what its client got as JSON.
Nothing of a client is changed but its base URL and where its token goes.
"""

import json
import sys


def tell(work):
    """Prints what a driver's work gives."""
    json.dump(work(json.load(sys.stdin)), sys.stdout)


def refused(describe, call):
    """The error that a call raised, with what the client says of it; None if it raised none.

    Of an error that the client has no fields for, `describe` gives what it can, and the type tells
    that it was the wrong one.
    """
    try:
        call()
    except Exception as error:
        told = {"type": type(error).__name__, "text": str(error)}
        try:
            told.update(describe(error))
        except (AttributeError, KeyError, TypeError, ValueError) as other:
            told["undescribed"] = repr(other)
        return told
    return None
