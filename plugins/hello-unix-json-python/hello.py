#!/usr/bin/env python3
"""A plugin in one file of Python 3.8 or newer, on its standard library alone. It listens on the Unix socket that its host names in
TORU_PLUGIN_SOCKET, and answers frames of JSON: a big-endian uint32, then as many bytes. It reads and writes the plain form of the
messages, in which a response is right in the payload, and takes the form with a discriminator as well."""
import datetime, json, os, socket, struct, sys, threading

METADATA = {
    "id": "hello-unix-json-python",
    "name": "Hello in Python",
    "version": "0.1.0",
    "author": None,
    "icon": "\N{SNAKE}",
    "route": "/hello-unix-json-python",
}
MAX_FRAME = 16 * 1024 * 1024

started = {"instance_id": "unknown"}
store = {}


# -- what it does ---------------------------------------------------------------------------------------------------------------
def respond(status, body, content_type="application/json", headers=None):
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return {"status": status, "headers": {"Content-Type": content_type, **(headers or {})}, "body": text}


def http(request):
    path, _, query = request["path"].partition("?")
    if path == "/" and request["method"] in ("GET", "HEAD"):
        message = f"Hello from Python, {os.path.basename(sys.argv[0])}"
        return respond(200, {"message": message, "instance_id": started["instance_id"], "time": now()})
    if path == "/echo":
        seen = {key: request.get(key) for key in ("method", "path", "headers", "body")}
        return respond(200, {**seen, "query": query})
    if path == "/cookies":  # a name that stands more than once has a list
        return respond(200, "", "text/plain", {"Set-Cookie": ["a=1; Path=/", "b=2; Path=/"]})
    if path == "/fail":
        raise RuntimeError("asked to fail")
    return respond(404, {"error": "Not found"})


def kv(operation):
    action, key = str(operation["action"]).lower(), operation["key"]
    if action == "get":
        return store.get(key)
    if action == "set":
        store[key] = operation["value"]
    elif action == "delete":
        store.pop(key, None)
    else:
        raise ValueError(f"There is no action {action!r}")
    return None


# -- how it is asked ------------------------------------------------------------------------------------------------------------
def answer(message):
    """The payload of the answer, or None where nothing answers."""
    kind, payload = message.get("type"), message["payload"]
    if kind == "http":
        try:
            return http(payload["payload"])
        except Exception as error:  # the caller learns of it now, and not by its own timeout
            log("error", f"{type(error).__name__}: {error}")
            return respond(500, {"error": type(error).__name__, "message": str(error)})
    if kind == "kv":
        try:  # the action in lower case: within the payload's own payload, or right in it
            return {"value": kv(payload.get("payload", payload))}
        except Exception as error:
            log("error", f"{type(error).__name__}: {error}")
            return {"value": None}
    if kind == "lifecycle" and payload.get("action") == "init":
        started.update(payload)
        log("info", "initialised")
    if kind == "lifecycle" and payload.get("action") == "shutdown":
        log("info", "ends")
        end(0)
    return None  # what a newer host may say is not for this plugin


def read(connection, count):
    data = b""
    while len(data) < count:
        chunk = connection.recv(min(count - len(data), 65536))
        if not chunk:
            return None
        data += chunk
    return data


def serve(connection):
    with connection:
        while (header := read(connection, 4)) is not None:
            (length,) = struct.unpack(">I", header)
            if length > MAX_FRAME:
                return log("error", f"A frame of {length} bytes is too long")
            body = read(connection, length)
            if body is None:
                return
            try:
                message = json.loads(body)
                payload = answer(message)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                return log("error", f"Cannot read a message: {error!r}")
            if payload is None:
                continue
            request_id = message.get("request_id")
            reply = {"type": message["type"], "timestamp": now(), "request_id": request_id, "payload": payload}
            data = json.dumps(reply, ensure_ascii=False).encode()
            connection.sendall(struct.pack(">I", len(data)) + data)


def log(level, message):
    sys.stderr.write(json.dumps({"timestamp": now(), "level": level, "message": message}) + "\n")
    sys.stderr.flush()


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


def end(code):
    try:
        os.unlink(os.environ["TORU_PLUGIN_SOCKET"])
    except OSError:
        pass
    os._exit(code)


def main():
    if "--metadata" in sys.argv:
        return print(json.dumps(METADATA, ensure_ascii=False))
    path = os.environ.get("TORU_PLUGIN_SOCKET")
    if not path:
        sys.exit("TORU_PLUGIN_SOCKET must name the socket to listen on")
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    if os.path.exists(path):
        os.unlink(path)
    os.umask(0o077)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    while True:  # side by side: one caller that keeps its connection does not stop the others
        connection, _ = listener.accept()
        threading.Thread(target=serve_safely, args=(connection,), daemon=True).start()


def serve_safely(connection):
    try:
        serve(connection)
    except OSError as error:
        log("warn", f"A connection broke: {error}")


if __name__ == "__main__":
    main()
