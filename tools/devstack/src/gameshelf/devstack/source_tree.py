"""Python source as a tree, for the tests that read it."""

import ast
import gc


def parse_source(text: str) -> ast.Module:
    """Parses Python, without the garbage collector meanwhile. Raises SyntaxError.

    Before 3.11.8 a parse fails with SystemError if a collection in the middle of it parses too, as the traceback of a
    forgotten task does (python/cpython#106905).
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        if was_enabled:
            gc.enable()
