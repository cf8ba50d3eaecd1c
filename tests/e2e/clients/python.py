"""Debian's python3-stomp over TCP.

    /usr/bin/python3 python.py WS-URL TCP-PORT

It is told in matrix.mjs what a client prints.
"""

import os
import queue
import signal
import sys
import threading
import time
import traceback
import uuid

import stomp

PORT = int(sys.argv[2])
KINDS = {"1.0": stomp.Connection10, "1.1": stomp.Connection11, "1.2": stomp.Connection12}


class Refused(Exception):
    pass


class Listener(stomp.ConnectionListener):
    def __init__(self):
        self.got = queue.Queue()
        self.receipts = queue.Queue()
        self.errors = queue.Queue()
        self.ends = queue.Queue()
        self.hello = {}

    def on_connected(self, frame):
        self.hello = frame.headers

    def on_message(self, frame):
        self.got.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers["receipt-id"])

    def on_error(self, frame):
        self.errors.put(frame.headers)

    def on_disconnected(self):
        self.ends.put(True)


class Client:
    """One connection, and the words of its version."""

    def __init__(self, version, passcode="right", beats=(0, 0)):
        more = {} if version == "1.0" else {"heartbeats": beats}
        self.version = version
        self.heard = Listener()
        self.conn = KINDS[version]([("127.0.0.1", PORT)], reconnect_attempts_max=1,
                                   auto_decode=False, **more)
        self.conn.set_listener("", self.heard)
        try:
            self.conn.connect("m", passcode, wait=True)
        except stomp.exception.ConnectFailedException:
            raise Refused(self.heard.errors.get(timeout=3)["message"]) from None

    def next(self):
        frame = self.heard.got.get(timeout=8)
        if not isinstance(frame.body, bytes):
            frame.body = (frame.body or "").encode()
        return frame

    def texts(self, count):
        return [self.next().body.decode() for _ in range(count)]

    def receipt(self, act):
        name = uuid.uuid4().hex
        act(name)
        while self.heard.receipts.get(timeout=8) != name:
            pass

    def subscribe(self, destination, ack="auto", **headers):
        """What ends it is returned."""
        name = uuid.uuid4().hex
        if self.version == "1.0":
            self.receipt(lambda r: self.conn.subscribe(
                destination, ack=ack, headers={**headers, "receipt": r}))
            return lambda: self.receipt(lambda r: self.conn.unsubscribe(
                destination, headers={"receipt": r}))
        self.receipt(lambda r: self.conn.subscribe(
            destination, name, ack=ack, headers={**headers, "receipt": r}))
        return lambda: self.receipt(lambda r: self.conn.unsubscribe(name, headers={"receipt": r}))

    def send(self, destination, body, **headers):
        self.conn.send(destination, body, headers=headers)

    def answer(self, how, frame):
        h = frame.headers
        if self.version == "1.2":
            how(h["ack"])
        elif self.version == "1.1":
            how(h["message-id"], h["subscription"])
        else:
            how(h["message-id"])

    def ack(self, frame):
        self.answer(self.conn.ack, frame)

    def nack(self, frame):
        self.answer(self.conn.nack, frame)

    def nothing(self):
        fence = "/topic/fence/" + uuid.uuid4().hex
        self.subscribe(fence)
        self.send(fence, "fence")
        same(self.next().body, b"fence")

    def close(self):
        """With a receipt of its own making: given one, it stops its thread that
        reads before the RECEIPT may have come."""
        self.conn.disconnect()
        self.heard.receipts.get(timeout=8)
        self.heard.ends.get(timeout=8)


def same(got, want):
    if got != want:
        raise AssertionError(f"{got!r}, not {want!r}"[:300])


def left(version, name, count):
    c = Client(version)
    c.subscribe(name)
    got = c.texts(count)
    c.nothing()
    c.close()
    return got


def login(version):
    try:
        Client(version, passcode="wrong")
        raise AssertionError("it came in")
    except Refused as refused:
        same(str(refused), "login or passcode is wrong")
    c = Client(version)
    same((c.heard.hello["version"], c.heard.hello["user-name"]), (version, "m"))
    c.close()


def receipts(version):
    c = Client(version)
    end = c.subscribe("/topic/receipts")
    c.receipt(lambda r: c.send("/topic/receipts", "x", receipt=r))
    same(c.texts(1), ["x"])
    end()
    c.receipt(lambda r: c.send("/topic/receipts", "y", receipt=r))
    c.close()
    same(c.heard.got.qsize(), 0)


def auto(version):
    name = "/queue/python/auto/" + version
    c = Client(version)
    c.subscribe(name)
    for body in "abc":
        c.send(name, body)
    same(c.texts(3), list("abc"))
    c.close()
    same(left(version, name, 0), [])


def cumulative(version):
    name = "/queue/python/cumulative/" + version
    c = Client(version)
    c.subscribe(name, ack="client")
    for body in "abcd":
        c.send(name, body)
    got = [c.next() for _ in "abcd"]
    c.ack(got[2])
    c.close()
    same(left(version, name, 1), ["d"])


def individual(version):
    name = "/queue/python/individual/" + version
    c = Client(version)
    c.subscribe(name, ack="client-individual")
    for body in "abc":
        c.send(name, body)
    got = [c.next() for _ in "abc"]
    c.ack(got[1])
    c.close()
    same(left(version, name, 2), ["a", "c"])


def nack(version):
    name = "/queue/python/nack/" + version
    c = Client(version)
    c.subscribe(name, ack="client-individual")
    c.send(name, "a")
    c.nack(c.next())
    again = c.next()
    same((again.body, again.headers.get("redelivered")), (b"a", "true"))
    c.ack(again)
    c.close()
    same(left(version, name, 0), [])


def commit(version):
    c = Client(version)
    c.subscribe("/topic/python/commit")
    name = c.conn.begin()
    for body in "ab":
        c.send("/topic/python/commit", body, transaction=name)
    c.receipt(lambda r: c.send("/topic/python/commit", "outside", receipt=r))
    c.conn.commit(name)
    same(c.texts(3), ["outside", "a", "b"])
    c.close()


def abort(version):
    c = Client(version)
    c.subscribe("/topic/python/abort")
    name = c.conn.begin()
    c.send("/topic/python/abort", "never", transaction=name)
    c.conn.abort(name)
    c.send("/topic/python/abort", "after")
    same(c.texts(1), ["after"])
    c.close()


def beats(version):
    c = Client(version, beats=(400, 400))
    same(c.heard.hello["heart-beat"], "400,400")
    c.subscribe("/topic/beats")
    time.sleep(1.9)
    c.send("/topic/beats", "still here")
    same(c.texts(1), ["still here"])
    c.close()


def silence(version):
    c = Client(version, beats=(400, 400))
    print("stop", version, flush=True)  # we are stopped, and go on two seconds later
    c.heard.ends.get(timeout=8)
    # Two of its threads end the connection at the same time, and one may still
    # read from that descriptor when the next connection has got it.
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(timeout=5)


def binary(version):
    c = Client(version)
    body = bytes(range(256)) * 2
    c.subscribe("/topic/binary")
    c.conn.send("/topic/binary", body, content_type="application/octet-stream")
    got = c.next()
    same((got.body, got.headers["content-type"]), (body, "application/octet-stream"))
    c.send("/topic/binary", "")
    same(c.next().body, b"")
    c.close()


def values(version):
    c = Client(version)
    headers = {"each": "\n:\\" + ("\r" if version == "1.2" else ""), "colon": "a:b::",
               "umlaut": "\u00fc\U0001f600"}
    c.subscribe("/topic/values")
    c.send("/topic/values", "x", **headers)
    got = c.next().headers
    same({name: got.get(name) for name in headers}, headers)
    c.close()


def blanks(version):
    c = Client(version)
    c.subscribe("/topic/blanks")
    c.send("/topic/blanks", "x", blank="  x  ")
    same(c.next().headers.get("blank"), "  x  ")
    c.close()


def lookalikes(version):
    c = Client(version)
    c.subscribe("/topic/lookalikes")
    c.send("/topic/lookalikes", "x", odd="\\n\\c\\\\r\\")
    same(c.next().headers.get("odd"), "\\n\\c\\\\r\\")
    c.close()


def megabyte(version):
    c = Client(version)
    body = bytes(range(256)) * 4096
    c.subscribe("/topic/megabyte")
    c.conn.send("/topic/megabyte", body, content_type="application/octet-stream")
    if c.next().body != body:
        raise AssertionError("another body comes back")
    c.close()


def many(version):
    c = Client(version)
    c.subscribe("/topic/many")
    for i in range(10000):
        c.send("/topic/many", str(i))
    same(c.texts(10000), [str(i) for i in range(10000)])
    c.close()


def history(version):
    topic = "/topic/history/python/" + version
    c = Client(version)
    c.subscribe(topic)
    for body in "abc":
        c.send(topic, body)
    same(c.texts(2), ["a", "b"])
    last = c.next().headers["message-id"]
    c.close()
    c = Client(version)
    for body in "de":
        c.receipt(lambda r, body=body: c.send(topic, body, receipt=r))
    c.subscribe(topic, **{"last-message-id": last})
    c.send(topic, "f")
    same(c.texts(3), ["d", "e", "f"])
    c.close()


def retained(version):
    topic = "/topic/retained/python/" + version
    c = Client(version)
    for body in "ab":
        c.receipt(lambda r, body=body: c.send(topic, body, receipt=r, retain="true"))
    c.subscribe(topic)
    c.send(topic, "live")
    same(c.texts(2), ["b", "live"])
    c.close()


def error(version):
    c = Client(version)
    c.send("/nowhere", "x", receipt="bad")
    headers = c.heard.errors.get(timeout=8)
    same((headers["message"], headers["receipt-id"]), ("no such destination", "bad"))
    c.heard.ends.get(timeout=8)


OLD = {"individual": "STOMP 1.0 has no client-individual", "nack": "STOMP 1.0 has no NACK",
       "beats": "STOMP 1.0 has no heart-beats", "silence": "STOMP 1.0 has no heart-beats",
       "values": "STOMP 1.0 has no escapes", "lookalikes": "STOMP 1.0 has no escapes",
       "names": "STOMP 1.0 has no escapes"}
CANNOT = {"names": "it escapes values alone, no names"}
CELLS = (login, receipts, auto, cumulative, individual, nack, commit, abort, beats, silence,
         binary, values, blanks, lookalikes, megabyte, many, history, retained, error)


def too_slow(*_):
    raise TimeoutError("too slow")


signal.signal(signal.SIGALRM, too_slow)
for version in KINDS:
    for key in [cell.__name__ for cell in CELLS] + list(CANNOT):
        why = (OLD.get(key) if version == "1.0" else None) or CANNOT.get(key)
        if why:
            print("skip", key, version, why, flush=True)
            continue
        try:
            signal.alarm(20)
            globals()[key](version)
            signal.alarm(0)
            print("ok", key, version, flush=True)
        except Exception as wrong:  # one line for each
            signal.alarm(0)
            print("no", key, version, repr(wrong)[:300], flush=True)
            print(traceback.format_exc(), flush=True)
print("done", flush=True)
os._exit(0)  # whatever its threads do
