#!/usr/bin/env python3
"""A plugin on nothing but the standard library, written from docs/wire.md: it serves over the socket that the hub hands down."""
import contextlib, json, os, re, socket, struct, sys, threading

TOOLS = {"py_hello": {"name": "string"}, "py_ask": {"tool": "string", "arguments": "object"},
         "py_count": {"to": "number", "bytes": "number"}}
MANIFEST = {"id": "hello.python", "version": "0.1.0", "language": "python", "description": "Says hello from Python",
            "provides_tools": list(TOOLS), "needs_tools": ["*"]}
PIECE, WINDOW = 65_536, 262_144  # longest payload of a frame; bytes that a call may have uncredited
HELLO, REQUEST, REQUEST_LAST, MESSAGE, MESSAGE_LAST, PART, CANCEL, CREDIT, PING, PONG, GOAWAY, LONG_REQUEST = range(12)

# -- protobuf: a message is written as bytes, and read as a dictionary from field number to its values ---------------------------
def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)

def field(number, value):
    if isinstance(value, float): return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):  # bool as well
        return varint(number << 3) + varint(int(value))
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data

def read_varint(data, at):
    if data[at] < 128: return data[at], at + 1
    rest, end = read_varint(data, at + 1)
    return data[at] & 127 | rest << 7, end

def fields(data):
    found, at = {}, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, at = read_varint(data, at) if tag & 7 in (0, 2) else ({1: 8, 5: 4}[tag & 7], at)
        value, at = (number, at) if tag & 7 == 0 else (data[at:at + number], at + number)
        found.setdefault(tag >> 3, []).append(value)
    return found

def text(message, number):
    return message.get(number, [b""])[-1].decode()

def to_struct(value):  # google.protobuf.Struct from a dictionary
    return b"".join(field(1, field(1, str(key)) + field(2, to_value(item))) for key, item in value.items())

def to_value(item):
    if isinstance(item, dict): return field(5, to_struct(item))
    if isinstance(item, list): return field(6, b"".join(field(1, to_value(one)) for one in item))
    if isinstance(item, (bool, str)): return field(4 if isinstance(item, bool) else 3, item)
    return field(1, 0) if item is None else field(2, float(item))

def from_struct(data):
    entries = (fields(entry) for entry in fields(data).get(1, []))
    return {text(entry, 1): from_value(entry.get(2, [b""])[-1]) for entry in entries}

def from_value(data):
    for kind, values in fields(data).items():
        raw = values[-1]
        return {2: lambda: struct.unpack("<d", raw)[0], 3: lambda: raw.decode(), 4: lambda: raw != 0, 5: lambda: from_struct(raw),
                6: lambda: [from_value(item) for item in fields(raw).get(1, [])]}.get(kind, lambda: None)()

# -- the link: frames in, frames out --------------------------------------------------------------------------------------------
class Call:
    def __init__(self, ours=False, opening=False):
        self.ours, self.opening, self.window, self.parts, self.answer = ours, opening, WINDOW, [], None
        self.over = threading.Event()

class Link:
    def __init__(self, sock, serve):
        self.sock, self.serve, self.calls, self.next_id = sock, serve, {}, 1
        self.changed, self.writing, self.long = threading.Condition(), threading.Lock(), threading.Lock()
        self.frame(HELLO, 0, b"ORCH\x01")

    def frame(self, kind, call, payload=b""):
        with self.writing:
            self.sock.sendall(struct.pack(">IIB", len(payload) + 5, call, kind) + payload)

    def message(self, call, payload, last, opens=False):
        if len(payload) <= PIECE: return self.frame((REQUEST if opens else MESSAGE) + last, call, payload)
        if opens: self.frame(LONG_REQUEST, call)
        with self.long:  # one long message at a time; frames of other calls go in between its pieces
            tail = (len(payload) - 1) // PIECE * PIECE
            for at in range(0, tail, PIECE):
                if call not in self.calls: return  # it is over: nobody reads the rest
                self.frame(PART, call, payload[at:at + PIECE])
            if call in self.calls: self.frame(MESSAGE + last, call, payload[tail:])

    def send(self, call, payload, last=False):
        """One message of an answer, the last one or one of several, which wait until the peer has room. False: the call is over."""
        with self.changed:
            self.changed.wait_for(lambda: last or call not in self.calls or self.calls[call].window > 0)
            if call not in self.calls: return False
            self.calls[call].window -= len(payload)
        self.message(call, payload, last)
        return (self.calls.pop(call, None) if last else self.calls.get(call)) is not None

    def ask(self, payload, timeout):
        with self.changed:
            number, self.next_id = self.next_id, self.next_id + 2  # whoever connects opens odd calls; 2^31 of them will do here
            call = self.calls[number] = Call(ours=True)
        self.message(number, payload, True, opens=True)
        if not call.over.wait(timeout) and self.calls.pop(number, None):
            self.frame(CANCEL, number, b"\x00")
        if call.answer is None: raise TimeoutError("The hub gave no answer")
        return call.answer

    def run(self):
        stream = self.sock.makefile("rb", buffering=PIECE)
        while len(header := stream.read(9)) == 9:
            length, call, kind = struct.unpack(">IIB", header)
            self.received(kind, call, stream.read(length - 5))

    def received(self, kind, number, payload):
        if kind == PING: return self.frame(PONG, 0, payload)
        if kind in (REQUEST, REQUEST_LAST, LONG_REQUEST):
            self.calls[number] = Call(opening=True)
        call = self.calls.get(number)
        if call is None or kind == LONG_REQUEST: return  # of the link itself, or for a call that is over
        if kind == PART: call.parts.append(payload)
        elif kind == CREDIT:
            with self.changed:
                call.window += struct.unpack(">I", payload)[0]
                self.changed.notify_all()
        elif kind == CANCEL:
            self.end(number)
        else:
            message, call.parts = b"".join(call.parts) + payload, []
            if kind in (REQUEST, MESSAGE) and message:
                self.frame(CREDIT, number, struct.pack(">I", len(message)))
            if kind == MESSAGE_LAST and call.ours:
                call.answer = message
                self.end(number)
            if call.opening:
                call.opening = False
                threading.Thread(target=self.serve, args=(self, number, message), daemon=True).start()

    def end(self, number):
        with self.changed:
            self.calls.pop(number, Call()).over.set()  # whoever waited may have given up meanwhile
            self.changed.notify_all()

# -- the plugin: requests in, responses out -------------------------------------------------------------------------------------
def definition(name):
    schema = {"type": "object", "properties": {key: {"type": kind} for key, kind in TOOLS[name].items()}}
    return field(1, name) + field(2, f"{name} in Python") + field(3, to_struct(schema)) + field(200, name == "py_count")

def failure(code, short, why):  # the shape that a failed tool call has, and the precise code beside it
    return field(20, field(3, short) + field(4, why)) + field(200, field(1, code) + field(2, why))

def run_tool(link, request, context):
    name, caller, arguments = text(request, 1), text(request, 3), from_struct(request.get(2, [b""])[-1])
    if name == "py_hello":
        result = {"text": f"Hello {arguments.get('name', 'world')}", "caller": caller}
    elif name == "py_ask":  # the deadline and the trace of this call go on with the one that it makes
        timeout_ms = context.get(1, [30_000])[-1]
        inner = field(1, str(arguments["tool"])) + field(2, to_struct(arguments.get("arguments", {})))
        asked = field(1, "ask") + field(20, inner) + field(200, field(1, timeout_ms) + field(2, text(context, 2)))
        answer = fields(fields(link.ask(asked, timeout_ms / 1000))[20][-1])
        if not answer.get(1): return failure(10, text(answer, 3), text(answer, 4))
        result = from_struct(answer.get(2, [b""])[-1])
    else:
        return failure(3, "tool_not_found", f'Tool "{name}" is not one of this plugin\'s')
    return field(20, field(1, True) + field(2, to_struct(result)))

def run_stream(link, call, start, request):
    stream, arguments = text(request, 1), from_struct(request.get(3, [b""])[-1])
    for count in range(int(arguments["to"])):
        chunk = field(1, stream) + field(2, bytes(int(arguments["bytes"]))) + field(4, count)
        if not link.send(call, start + field(40, chunk)): break  # nobody listens any more
    return field(41, field(1, stream) + field(2, True) + field(5, int(arguments["to"])))

def serve(link, call, data, start=b""):
    try:
        request = fields(data)
        start, context = field(1, text(request, 1)), fields(request.get(200, [b""])[-1])
        member = next((number for number in request if number not in (1, 200)), 0)
        body = fields(request[member][-1]) if member else {}
        plain = {10: field(1, True), 11: field(1, True), 12: field(1, True), 13: field(1, 1) + field(2, "ok"), 22: b"",
                 21: b"".join(field(1, definition(name)) for name in TOOLS)}
        if member in plain:
            answer = field(member, plain[member])
        elif member == 20:
            answer = run_tool(link, body, context)
        elif member == 40 and text(body, 2) == "py_count":
            answer = run_stream(link, call, start, body)
        else:  # 41, 51 and 52 want no more than an acknowledgement
            answer = b"" if member in (41, 51, 52) else failure(13, "unknown_request", f"A plugin does not answer {member}")
    except Exception as error:
        answer = failure(14, "handler_error", str(error) or type(error).__name__)
    link.send(call, start + answer, last=True)

def main():
    if "--manifest" in sys.argv or "-manifest" in sys.argv: return print(json.dumps(MANIFEST))
    inherited = re.fullmatch(r"fd:(\d+)", os.environ.get("ORCHESTRATOR_LINK", ""))
    if not inherited: sys.exit("This plugin serves over ORCHESTRATOR_LINK=fd:<number>, which its host does not offer")
    with contextlib.suppress(ConnectionError):
        Link(socket.socket(fileno=int(inherited[1])), serve).run()
    os._exit(0)  # the hub is gone: whatever still runs runs for nobody

if __name__ == "__main__":
    main()
