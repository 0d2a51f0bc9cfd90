"""Shows quarq's types in gdb as people think of them.

In gdb, or in ~/.gdbinit:   source /usr/share/quarq/gdb/quarq.py

Knows quarq::outcome, call, task, job, queue, context, retention and bytes. `print /r x` shows what is inside.
Needs debug information of the program (-g), and the standard library of g++ (libstdc++).
"""

import re

import gdb


def std_string(value):
    """The bytes of a std::string or std::string_view."""
    fields = {field.name for field in value.type.strip_typedefs().fields()}
    if "_M_str" in fields:
        data, size = value["_M_str"], int(value["_M_len"])
    else:
        data, size = value["_M_dataplus"]["_M_p"], int(value["_M_string_length"])
    return bytes(gdb.selected_inferior().read_memory(int(data), size)) if size else b""


def quoted(data):
    """In double quotes; what is not printable or no UTF-8 as escapes."""
    text = data.decode("utf-8", "backslashreplace")
    escapes = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"'}
    return '"' + "".join(c if c.isprintable() and c != '"' else escapes.get(c) or f"\\x{ord(c):02x}"
                         for c in text) + '"'


def quoted_bytes(data):
    return 'b"' + "".join(chr(b) if 32 <= b < 127 and b not in (34, 92) else f"\\x{b:02x}" for b in data) + '"'


def at_storage(storage, type_):
    """What stands in a union's storage, which may be bytes."""
    return storage.address.cast(type_.pointer()).dereference()


def variant_value(variant):
    """The index of a std::variant's alternative, and that."""
    index = int(variant["_M_index"])
    part = variant["_M_u"]
    for _ in range(index):
        part = part["_M_rest"]
    return index, at_storage(part["_M_first"]["_M_storage"], variant.type.strip_typedefs().template_argument(index))


def optional_value(optional):
    """Nothing, or the value of a std::optional."""
    payload = optional["_M_payload"]
    if not payload["_M_engaged"]:
        return None
    return at_storage(payload["_M_payload"], optional.type.strip_typedefs().template_argument(0))


def milliseconds(duration):
    return f"{int(duration['__r'])}ms"


def class_of(type_):
    """"outcome" of quarq::outcome<int>; nothing if it is not ours."""
    name = type_.strip_typedefs().unqualified().tag or ""
    match = re.match(r"quarq::(\w+)(<|$)", name)
    return match[1] if match else None


# ---- exceptions

EXCEPTION_TYPE_BEFORE_OBJECT = 112  # of __cxa_exception in libstdc++ on x86-64 and arm64, whose first member it is


def is_text_exception(type_):
    """Whether a what() is where std::runtime_error and std::logic_error keep theirs."""
    while True:
        if type_.name in ("std::runtime_error", "std::logic_error"):
            return True
        fields = type_.strip_typedefs().fields()
        if not fields or not fields[0].is_base_class or fields[0].bitpos != 0:
            return False
        type_ = fields[0].type


def exception_text(pointer):
    """std::runtime_error: "boom" of a std::exception_ptr; as much of it as can be known."""
    thrown = int(pointer["_M_exception_object"])
    if not thrown:
        return "no exception"
    char = gdb.lookup_type("char").pointer()
    info = gdb.Value(thrown - EXCEPTION_TYPE_BEFORE_OBJECT).cast(char.pointer()).dereference()
    mangled = (info.cast(char) + char.sizeof).cast(char.pointer()).dereference().string().lstrip("*")
    symbol = gdb.execute(f"demangle -- _ZTI{mangled}", to_string=True).strip()
    name = symbol.removeprefix("typeinfo for ")
    try:
        if is_text_exception(gdb.lookup_type(name)):
            what = gdb.Value(thrown + char.sizeof).cast(char.pointer()).dereference()
            return f"{name}: {quoted(what.string().encode())}"
    except (gdb.error, TypeError):
        pass  # not a class, or no debug information about this type
    return name


# ---- msgpack, as far as arguments are written in it


class MsgpackReader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise ValueError("the data ends early")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "big", signed=signed)

    def items(self, count):
        return "[" + ", ".join(self.value() for _ in range(count)) + "]"

    def pairs(self, count):
        return "{" + ", ".join(f"{self.value()}: {self.value()}" for _ in range(count)) + "}"

    def extension(self, size):
        return f"extension({self.number(1, True)}, {quoted_bytes(self.take(size))})"

    def floating(self, size):
        import struct
        return repr(struct.unpack(">f" if size == 4 else ">d", self.take(size))[0])

    def value(self):
        code = self.number(1)
        if code < 0x80 or code >= 0xe0:
            return str(code if code < 0x80 else code - 0x100)
        if code < 0x90:
            return self.pairs(code & 15)
        if code < 0xa0:
            return self.items(code & 15)
        if code < 0xc0:
            return quoted(self.take(code & 31))
        return {
            0xc0: lambda: "null", 0xc2: lambda: "false", 0xc3: lambda: "true",
            0xc4: lambda: quoted_bytes(self.take(self.number(1))), 0xc5: lambda: quoted_bytes(self.take(self.number(2))),
            0xc6: lambda: quoted_bytes(self.take(self.number(4))),
            0xc7: lambda: self.extension(self.number(1)), 0xc8: lambda: self.extension(self.number(2)),
            0xc9: lambda: self.extension(self.number(4)),
            0xca: lambda: self.floating(4), 0xcb: lambda: self.floating(8),
            0xcc: lambda: str(self.number(1)), 0xcd: lambda: str(self.number(2)),
            0xce: lambda: str(self.number(4)), 0xcf: lambda: str(self.number(8)),
            0xd0: lambda: str(self.number(1, True)), 0xd1: lambda: str(self.number(2, True)),
            0xd2: lambda: str(self.number(4, True)), 0xd3: lambda: str(self.number(8, True)),
            0xd4: lambda: self.extension(1), 0xd5: lambda: self.extension(2), 0xd6: lambda: self.extension(4),
            0xd7: lambda: self.extension(8), 0xd8: lambda: self.extension(16),
            0xd9: lambda: quoted(self.take(self.number(1))), 0xda: lambda: quoted(self.take(self.number(2))),
            0xdb: lambda: quoted(self.take(self.number(4))),
            0xdc: lambda: self.items(self.number(2)), 0xdd: lambda: self.items(self.number(4)),
            0xde: lambda: self.pairs(self.number(2)), 0xdf: lambda: self.pairs(self.number(4)),
        }[code]()


def arguments_text(data):
    """(1, "a") of the msgpack array that a call holds."""
    try:
        text = MsgpackReader(data).value()
    except (ValueError, KeyError):
        return f"({quoted_bytes(data)})"
    return f"({text[1:-1]})" if text.startswith("[") else f"({text})"


# ---- the printers


class Printer:
    def __init__(self, value):
        self.value = value


class Outcome(Printer):
    def __init__(self, value):
        super().__init__(value)
        self.index, self.kept = variant_value(value["kept_"])

    def to_string(self):
        return "ok" if self.index == 0 else f"error: {exception_text(self.kept)}"

    def children(self):
        is_void = self.kept.type.strip_typedefs().name == "std::monostate"
        if self.index == 0 and not is_void:
            yield "value", self.kept


class Bytes(Printer):
    LIMIT = 200

    def to_string(self):
        part = self.value["_M_impl"]
        first, size = int(part["_M_start"]), int(part["_M_finish"]) - int(part["_M_start"])
        shown = min(size, self.LIMIT)
        text = quoted_bytes(bytes(gdb.selected_inferior().read_memory(first, shown))) if size else 'b""'
        return f"{size} bytes {text}" + ("..." if shown < size else "")


class Retention(Printer):
    def to_string(self):
        duration = optional_value(self.value["duration_"])
        return "forever" if duration is None else milliseconds(duration)


class Call(Printer):
    def to_string(self):
        data = self.value["data_"]
        return std_string(data["task"]).decode("utf-8", "backslashreplace") + arguments_text(std_string(data["arguments"]))

    def children(self):
        options = self.value["data_"]["options"]
        for name in ("id", "at", "expires", "priority", "timeout", "attempts", "backoff", "keep_result"):
            set_value = optional_value(options[name])
            if set_value is not None:
                shown = name in ("expires", "timeout")
                yield name, milliseconds(set_value) if shown else set_value
        if int(options["delay"]["__r"]) != 0:
            yield "delay", milliseconds(options["delay"])


class Task(Printer):
    def to_string(self):
        signature = self.value.type.strip_typedefs().template_argument(0)
        count = len(signature.fields())
        names = [std_string(self.value["parameters_"]["_M_elems"][i]).decode() for i in range(count)]
        return f"{std_string(self.value['name_']).decode()}({', '.join(name or '?' for name in names)})"


class Job(Printer):
    def to_string(self):
        return f"job {quoted(std_string(self.value['handle_']['id_']))}"


def implementation(value):
    """What the queue's shared_ptr points to; nothing if libquarq.a was built without debug information."""
    pointer = value["impl_"]["_M_ptr"]
    if not int(pointer):
        return None
    try:
        pointee = pointer.dereference()
        return pointee if pointee.type.strip_typedefs().fields() else None
    except (gdb.error, TypeError):
        return None


class Queue(Printer):
    def to_string(self):
        inside = implementation(self.value)
        if inside is None:
            return f"queue at {int(self.value['impl_']['_M_ptr']):#x}"
        return f"queue {quoted(std_string(inside['name_']))} at {quoted(std_string(inside['url_']))}"


class Context(Printer):
    def to_string(self):
        facts = self.value["facts_"]
        return f"{quoted(std_string(facts['task']))} job {quoted(std_string(facts['id']))}"

    def children(self):
        facts = self.value["facts_"]
        yield "queue", quoted(std_string(facts["queue"]))
        yield "attempt", facts["attempts"]
        yield "losses", facts["losses"]
        yield "arguments", arguments_text(std_string(self.value["arguments_"]))


PRINTERS = {"outcome": Outcome, "retention": Retention, "call": Call, "task": Task, "job": Job, "queue": Queue,
            "context": Context}


def printer_of(value):
    type_ = value.type
    if type_.code not in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_TYPEDEF):
        return None
    plain = type_.strip_typedefs()
    if plain.code != gdb.TYPE_CODE_STRUCT:
        return None
    if (plain.tag or "").startswith("std::vector<std::byte,"):
        return Bytes(value)
    made = PRINTERS.get(class_of(plain))
    return made(value) if made else None


printer_of.name = "quarq"


def register(objfile):
    """Before libstdc++'s own printers, which would show bytes as numbers; once."""
    objfile.pretty_printers[:] = [p for p in objfile.pretty_printers if getattr(p, "name", "") != printer_of.name]
    objfile.pretty_printers.insert(0, printer_of)


for known in gdb.objfiles():
    register(known)
gdb.events.new_objfile.connect(lambda event: register(event.new_objfile))
