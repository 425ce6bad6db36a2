"""A count that the user gives, as the `type` of an argument of argparse."""

import argparse


def count(text: str) -> int:
    """A whole number, 1 or more."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a count; give a whole number, 1 or more")
    return int(text)
