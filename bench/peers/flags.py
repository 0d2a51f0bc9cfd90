"""Values of the benchmarks' flags."""
import argparse


def at_least(least, kind=int):
    """A type for argparse: a number of this kind, not below `least`."""
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not value >= least:
            what = "whole number" if kind is int else "number"
            raise argparse.ArgumentTypeError(f"not a {what} of at least {least}: {text!r}")
        return value
    return parse
