"""A client of another make: Debian's python3-stomp, over plain TCP.

    /usr/bin/python3 stompy.py HTTP-PORT TCP-PORT

Prints ok and not ok lines. When it prints `your turn`, somebody in #lobby has
to say two things that begin with "Hello Python" and "And this".
"""

import http.client
import json
import queue
import socket
import sys
import time

import stomp

JSON = "application/json"
failed = 0


def ok(truth, sentence, why=""):
    global failed
    print(("ok - " if truth else "not ok - ") + "Python: " + sentence, flush=True)
    if not truth:
        failed += 1
        print("# " + str(why), flush=True)
    return truth


class Listener(stomp.ConnectionListener):
    """Everything that comes, in one queue."""

    def __init__(self):
        self.got = queue.Queue()
        self.beats = 0

    def on_message(self, frame):
        self.got.put(("MESSAGE", frame))

    def on_receipt(self, frame):
        self.got.put(("RECEIPT", frame))

    def on_error(self, frame):
        self.got.put(("ERROR", frame))

    def on_disconnected(self):
        self.got.put(("END", None))

    def on_heartbeat(self):
        self.beats += 1

    def wait(self, kind, good=lambda frame: True, seconds=6):
        """The next one of that kind; what else comes is thrown away."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return None
            try:
                got, frame = self.got.get(timeout=left)
            except queue.Empty:
                return None
            if got == kind and good(frame):
                return frame or True


def log_in(port, name, password):
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    conn.request("POST", "/login", json.dumps({"name": name, "password": password}),
                 {"Content-Type": JSON})
    answer = conn.getresponse()
    body = json.loads(answer.read())
    conn.close()
    return body["token"]


def connect(port, token, beats=(0, 0)):
    conn = stomp.Connection12([("127.0.0.1", port)], heartbeats=beats,
                              reconnect_attempts_max=1)
    listener = Listener()
    conn.set_listener("", listener)
    conn.connect(wait=False, headers={"Authorization": "Bearer " + token})
    return conn, listener


def opened(port, token, beats=(0, 0)):
    conn, listener = connect(port, token, beats)
    end = time.monotonic() + 5
    while not conn.is_connected() and time.monotonic() < end:
        time.sleep(0.02)
    return conn, listener


def end(conn):
    try:
        conn.transport.stop()
    except Exception:  # the stream may have ended already
        pass


def conversation(port, token):
    conn, heard = opened(port, token, beats=(1000, 1000))
    ok(conn.is_connected(), "a token opens a session on a plain TCP stream")
    conn.subscribe("/topic/chat/lobby", id="lobby", headers={"receipt": "in"})
    ok(heard.wait("RECEIPT", lambda f: f.headers["receipt-id"] == "in"),
       "SUBSCRIBE is answered by its receipt")
    conn.send("/app/chat/lobby", json.dumps({"text": "Greetings from Python."}),
              content_type=JSON, headers={"receipt": "said"})
    own = heard.wait("MESSAGE")
    ok(own and json.loads(own.body)["from"] == "monty" and
       own.headers["destination"] == "/topic/chat/lobby",
       "a SEND comes back stamped with its sender", own)
    ok(heard.wait("RECEIPT", lambda f: f.headers["receipt-id"] == "said"),
       "and then its receipt")
    print("your turn", flush=True)
    hello = heard.wait("MESSAGE", lambda f: json.loads(f.body)["text"].startswith("Hello Python"), 10)
    ok(hello and json.loads(hello.body)["from"] == "Anna", "the browser's answer arrives", hello)
    heard.wait("MESSAGE", lambda f: json.loads(f.body)["text"].startswith("And this"), 10)

    conn.subscribe("/topic/chat/lobby", id="history", headers={"history": "3"})
    texts = []
    for _ in range(3):
        past = heard.wait("MESSAGE", lambda f: f.headers["subscription"] == "history")
        texts.append(json.loads(past.body)["text"] if past else None)
    ok(texts[0] == "Greetings from Python." and texts[2].startswith("And this"),
       "history:3 is the last three messages, in order", texts)
    conn.unsubscribe("history")
    conn.send("/app/chat/lobby", "Plain text is fine too: \"äöü\" \\ :",
              content_type="text/plain")
    plain = heard.wait("MESSAGE")
    ok(plain and json.loads(plain.body)["text"] == "Plain text is fine too: \"äöü\" \\ :",
       "a plain body is taken as the text", plain)
    conn.subscribe("/user/queue/errors", id="errors")
    conn.send("/app/chat/lobby", json.dumps({"text": "x" * 4097}), content_type=JSON,
              headers={"receipt": "long"})
    refusal = heard.wait("MESSAGE", lambda f: f.headers["subscription"] == "errors")
    ok(refusal and "4 KiB" in refusal.body and refusal.headers.get("receipt-id") == "long",
       "a text over 4 KiB is refused without ending the session", refusal)

    for i in range(40):
        conn.send("/app/chat/flood", "Line %d" % i, content_type="text/plain")
    refusal = heard.wait("MESSAGE", lambda f: f.headers["subscription"] == "errors")
    ok(refusal and "Not so fast" in refusal.body and conn.is_connected(),
       "who talks too fast is told so and stays", refusal)
    time.sleep(1)  # for a few more to be let through

    conn.unsubscribe("lobby", headers={"receipt": "out"})
    heard.wait("RECEIPT", lambda f: f.headers["receipt-id"] == "out")
    conn.send("/app/chat/lobby", "Can I hear myself?", content_type="text/plain",
              headers={"receipt": "alone"})
    while True:
        kind, frame = heard.got.get(timeout=5)
        if kind == "MESSAGE" and frame.headers["subscription"] == "errors":
            continue
        if kind == "MESSAGE" or frame.headers.get("receipt-id") == "alone":
            break
    ok(kind == "RECEIPT", "after UNSUBSCRIBE nothing comes", frame)
    return conn, heard


def heart_beats(conn, heard):
    before = heard.beats
    time.sleep(11.5)  # the chat beats each 10 s, and we each second
    ok(conn.is_connected() and heard.beats > before,
       "heart-beats keep a silent session alive", heard.beats)


def goodbye(conn, heard):
    conn.disconnect(receipt="bye")
    ok(heard.wait("RECEIPT", lambda f: f.headers["receipt-id"] == "bye"),
       "DISCONNECT is answered by its receipt")
    end(conn)


def ending(port, token):
    """stomp.py hangs up at once; who waits sees the server do it."""
    s = socket.create_connection(("127.0.0.1", port), timeout=5)
    s.sendall(("CONNECT\naccept-version:1.2\nhost:chat\nAuthorization:Bearer %s\n\n\0"
               "DISCONNECT\nreceipt:bye\n\n\0" % token).encode())
    got = b""
    try:
        while part := s.recv(4096):
            got += part
    except OSError as error:
        got += repr(error).encode()
    s.close()
    frames = got.strip(b"\n").split(b"\0")
    ok(frames[0].startswith(b"CONNECTED\n") and b"RECEIPT\nreceipt-id:bye\n" in frames[1] and
       frames[2:] in ([b""], [b"\n"]), "after DISCONNECT and its receipt the server ends the stream", got)


def refused(port, token, text, sentence, act=None):
    conn, heard = connect(port, token) if act is None else opened(port, token)
    if act is not None:
        act(conn)
    error = heard.wait("ERROR")
    said = (error.headers.get("message", "") + (error.body or "")) if error else ""
    gone = heard.wait("END")
    ok(error and text in said and gone, sentence, (said, gone))
    end(conn)


def refusals(port, token):
    refused(port, "nonsense", "bad token", "nonsense is no token")
    refused(port, token[:-1] + ("0" if token[-1] != "0" else "1"), "bad token",
            "a token with another signature is refused")
    refused(port, token.replace("monty", "Anna"), "bad token",
            "a token with another name is refused")
    parts = token.split(".")
    refused(port, ".".join([parts[0], parts[1], str(int(parts[2]) + 1), parts[3]]),
            "bad token", "a token with another time is refused")
    refused(port, token, "refused", "nobody sends to a topic past the server",
            lambda c: c.send("/topic/chat/lobby", "I am Anna"))
    refused(port, token, "", "nobody sends to a person past the server",
            lambda c: c.send("/topic/whisper/Anna", "I am bob"))
    for destination in ["/topic/chat/*", "/topic/**", "/topic/chat/{room}", "/topic/chat", "/queue/x",
                        "/topic/whisper/Anna", "/topic/whisper/*", "/user/queue/*", "/user/queue/other", "/app/other"]:
        refused(port, token, "", "nobody subscribes to " + destination,
                lambda c, d=destination: c.subscribe(d, id="1"))


def foreign_page(port):
    """What a page of another site would send."""
    s = socket.create_connection(("127.0.0.1", port), timeout=5)
    s.sendall(("GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Origin: http://evil.example\r\n\r\n" % port).encode())
    line = s.recv(4096).split(b"\r\n")[0]
    s.close()
    ok(b" 403 " in line, "a page of another site gets no session", line)


def main():
    http_port, tcp_port = int(sys.argv[1]), int(sys.argv[2])
    token = log_in(http_port, "monty", "spam and eggs")
    conn, heard = conversation(tcp_port, token)
    refusals(tcp_port, token)
    foreign_page(http_port)
    heart_beats(conn, heard)
    goodbye(conn, heard)
    ending(tcp_port, token)
    return 1 if failed else 0


sys.exit(main())
