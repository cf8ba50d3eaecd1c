"""Debian's python3-stomp against the reference broker, over plain TCP.

    /usr/bin/python3 broker.py TCP-PORT

The broker was started with --queue-prefix /queue and --heartbeat 500,500.
Prints ok and not ok lines.
"""

import queue
import re
import sys
import time

import stomp

failed = 0
port = int(sys.argv[1])


def ok(truth, sentence, why=""):
    global failed
    print(("ok - " if truth else "not ok - ") + "Python: " + sentence, flush=True)
    if not truth:
        failed += 1
        print("# " + repr(why), flush=True)


class Listener(stomp.ConnectionListener):
    def __init__(self):
        self.got = queue.Queue()
        self.receipts = queue.Queue()
        self.errors = []
        self.beats = 0
        self.hello = {}

    def on_connected(self, frame):
        self.hello = frame.headers

    def on_message(self, frame):
        self.got.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.append(frame)

    def on_heartbeat(self):
        self.beats += 1

    def next(self, seconds=6):
        return self.got.get(timeout=seconds)

    def receipt(self, name):
        while self.receipts.get(timeout=6) != name:
            pass

    def nothing(self):
        try:
            return self.got.get(timeout=0.3)
        except queue.Empty:
            return None


def opened(kind, **more):
    conn = kind([("127.0.0.1", port)], reconnect_attempts_max=1, **more)
    heard = Listener()
    conn.set_listener("", heard)
    conn.connect("monty", "any", wait=True)
    return conn, heard


def subscribe(conn, destination, sub, version, **more):
    """1.0 knows subscriptions by their destinations. What ends it is returned."""
    if version == "1.0":
        conn.subscribe(destination, **more)
        return lambda: conn.unsubscribe(destination)
    conn.subscribe(destination, id=sub, **more)
    return lambda: conn.unsubscribe(sub)


def acks(conn, heard, version):
    """Each mode, in the words of its version."""

    def ack(how, frame):
        h = frame.headers
        if version == "1.2":
            how(h["ack"])
        elif version == "1.1":
            how(h["message-id"], h["subscription"])
        else:
            how(h["message-id"])

    mode = "client" if version == "1.0" else "client-individual"
    end = subscribe(conn, "/queue/p" + version, "q", version, ack=mode)
    for body in "abc":
        conn.send("/queue/p" + version, body)
    frames = [heard.next() for _ in "abc"]
    ok([f.body for f in frames] == list("abc"), version + ": a queue keeps its order", frames)
    if version != "1.0":
        ack(conn.nack, frames[1])
        again = heard.next()
        ok(again.body == "b" and again.headers.get("redelivered") == "true",
           version + ": what is refused with NACK comes again", again)
        for frame in (frames[0], frames[2], again):
            ack(conn.ack, frame)
    else:
        ack(conn.ack, frames[2])  # and those before it
    end()
    end = subscribe(conn, "/queue/p" + version, "q2", version, ack="auto")
    ok(heard.nothing() is None, version + ": what was acknowledged does not come again")
    end()


def transactions(conn, heard, version):
    end = subscribe(conn, "/topic/p", "t", version)
    name = conn.begin()
    conn.send("/topic/p", "in it", transaction=name)
    conn.send("/topic/p", "outside")
    first = heard.next()
    conn.commit(name)
    second = heard.next()
    ok([first.body, second.body] == ["outside", "in it"], version + ": COMMIT", (first, second))
    name = conn.begin()
    conn.send("/topic/p", "never", transaction=name)
    conn.abort(name)
    ok(heard.nothing() is None, version + ": ABORT")
    end()


def headers(conn, heard, version):
    texts = {"1.1": "a:b\\c\nd\\n", "1.2": "a:b\\c\nd\re\\r\\n"}
    conn.subscribe("/topic/h", id="h")
    conn.send("/topic/h", "x", headers={"odd": texts[version]})
    frame = heard.next()
    ok(frame.headers.get("odd") == texts[version],
       version + ": every escape in a value", frame.headers)
    conn.unsubscribe("h")


def bodies():
    conn, heard = opened(stomp.Connection12, auto_decode=False)
    conn.subscribe("/topic/b", id="b")
    for title, body in (("every byte", bytes(range(256)) * 4), ("1 MiB", bytes(range(256)) * 4096), ("nothing", b"")):
        conn.send("/topic/b", body, content_type="application/octet-stream")
        frame = heard.next()
        got = frame.body if isinstance(frame.body, bytes) else (frame.body or "").encode()
        ok(got == body, "a body of " + title, (len(got), got[:20]))
    conn.disconnect(receipt="bye")


def handlers():
    conn, heard = opened(stomp.Connection12)
    conn.subscribe("/user/queue/inbox", id="i")
    conn.subscribe("/app/time", id="t", headers={"receipt": "in"})
    heard.receipt("in")
    ok(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", heard.next().body), "/app/time answers once")
    conn.send("/app/to/monty", "ni")
    frame = heard.next()
    ok(frame.body == "ni" and frame.headers["subscription"] == "i", "/app/to/{user}", frame)
    conn.disconnect(receipt="bye")
    heard.receipt("bye")


def beats():
    conn, heard = opened(stomp.Connection12, heartbeats=(500, 500))
    ok(heard.hello.get("heart-beat") == "500,500", "heart-beats are agreed on", heard.hello)
    time.sleep(3)
    ok(conn.is_connected() and heard.beats >= 3, "and keep a silent session alive", heard.beats)
    conn.disconnect(receipt="bye")


for version, kind in (("1.0", stomp.Connection10), ("1.1", stomp.Connection11), ("1.2", stomp.Connection12)):
    conn, heard = opened(kind)
    ok(heard.hello.get("version") == version and heard.hello.get("user-name") == "monty",
       version + " is agreed on, and the login is the user", heard.hello)
    acks(conn, heard, version)
    transactions(conn, heard, version)
    if version != "1.0":
        headers(conn, heard, version)
    conn.send("/topic/none", "x", headers={"receipt": "said"})
    heard.receipt("said")
    ok(heard.errors == [], version + ": receipts, and no ERROR", heard.errors)
    conn.disconnect(receipt="bye")
bodies()
handlers()
beats()
sys.exit(1 if failed else 0)
