#!/usr/bin/env python3
"""python_models.py FOLDER: how long pydantic and msgspec take for the documents in FOLDER, by the models of
beside_python.cpp. Prints their versions, the seconds by "DOCUMENT/WORK/TOOL", and how many errors pydantic finds in each
bad document, as JSON. (msgspec ends at the first.)"""
import json
import pathlib
import sys
import time
from typing import Annotated

import msgspec
import pydantic
from msgspec import Meta
from pydantic import Field

EMAIL = r"^[^@ ]+@[^@ ]+$"
LONG_ENOUGH = 0.01  # seconds, of a run
RUNS = 5


class Person(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    id: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    email: Annotated[str, Field(pattern=EMAIL)]
    city: Annotated[str, Field(min_length=1, max_length=40)]
    country: Annotated[str, Field(min_length=2, max_length=2)]
    age: Annotated[int, Field(ge=0, le=150)]
    height: Annotated[float, Field(gt=0)]
    active: bool
    joined: Annotated[str, Field(min_length=10, max_length=10)]
    note: str | None = None


class Line(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    sku: Annotated[str, Field(min_length=3, max_length=20)]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    price: Annotated[float, Field(gt=0)]
    tags: Annotated[list[Annotated[str, Field(min_length=1, max_length=20)]], Field(max_length=10)]


class Buyer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    id: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    email: Annotated[str, Field(pattern=EMAIL)]
    phone: str | None = None


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    id: Annotated[int, Field(ge=1)]
    paid: bool
    by: Buyer
    lines: Annotated[list[Line], Field(min_length=1, max_length=100)]


class PersonStruct(msgspec.Struct):
    id: Annotated[int, Meta(ge=1)]
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    email: Annotated[str, Meta(pattern=EMAIL)]
    city: Annotated[str, Meta(min_length=1, max_length=40)]
    country: Annotated[str, Meta(min_length=2, max_length=2)]
    age: Annotated[int, Meta(ge=0, le=150)]
    height: Annotated[float, Meta(gt=0)]
    active: bool
    joined: Annotated[str, Meta(min_length=10, max_length=10)]
    note: str | None = None


class LineStruct(msgspec.Struct):
    sku: Annotated[str, Meta(min_length=3, max_length=20)]
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    quantity: Annotated[int, Meta(ge=1, le=1000)]
    price: Annotated[float, Meta(gt=0)]
    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=20)]], Meta(max_length=10)]


class BuyerStruct(msgspec.Struct):
    id: Annotated[int, Meta(ge=1)]
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    email: Annotated[str, Meta(pattern=EMAIL)]
    phone: str | None = None


class OrderStruct(msgspec.Struct):
    id: Annotated[int, Meta(ge=1)]
    paid: bool
    by: BuyerStruct
    lines: Annotated[list[LineStruct], Meta(min_length=1, max_length=100)]


TYPES = {"small": (Person, PersonStruct), "nested": (Order, OrderStruct), "list": (list[Line], list[LineStruct])}


def fastest(work):
    """The fastest of some runs, in seconds for one call."""
    times = 1
    while True:
        seconds = seconds_of(work, times)
        if seconds >= LONG_ENOUGH:
            break
        times *= 2
    return min(seconds_of(work, times) for _ in range(RUNS)) / times


def seconds_of(work, times):
    begin = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - begin


def refused(work, error):
    """Calls work, which must fail; what is wrong."""
    try:
        work()
    except error as e:
        return e
    raise SystemExit("python_models: a bad document was taken")


def measure(name, good, bad, seconds):
    """Adds the seconds; returns the number of errors."""
    model, struct = TYPES[name]
    adapter, decoder, encoder = pydantic.TypeAdapter(model), msgspec.json.Decoder(struct), msgspec.json.Encoder()
    by_pydantic, by_msgspec = adapter.validate_json(good), decoder.decode(good)

    def errors_of_pydantic():
        return refused(lambda: adapter.validate_json(bad), pydantic.ValidationError).errors(include_url=False)

    def error_of_msgspec():
        return str(refused(lambda: decoder.decode(bad), msgspec.ValidationError))

    seconds.update({f"{name}/parse/pydantic": fastest(lambda: adapter.validate_json(good)),
                    f"{name}/parse/msgspec": fastest(lambda: decoder.decode(good)),
                    f"{name}/refuse/pydantic": fastest(errors_of_pydantic),
                    f"{name}/refuse/msgspec": fastest(error_of_msgspec),
                    f"{name}/write/pydantic": fastest(lambda: adapter.dump_json(by_pydantic)),
                    f"{name}/write/msgspec": fastest(lambda: encoder.encode(by_msgspec))})
    return len(errors_of_pydantic())


def main(folder):
    seconds, errors = {}, {}
    for name in TYPES:
        good, bad = (pathlib.Path(folder, name + end).read_bytes() for end in (".json", ".bad.json"))
        errors[name] = measure(name, good, bad, seconds)
    versions = {"pydantic": pydantic.VERSION, "msgspec": msgspec.__version__}
    print(json.dumps({"versions": versions, "seconds": seconds, "errors": errors}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
