"""A sender as anybody may write one: from proto/PROTOCOL.md alone, with ZeroMQ and MessagePack.

`Sender` has many requests in flight over a DEALER; `AskingSender` asks one after the other over a REQ.
"""

import time

import msgpack
import zmq

AGAIN = ("busy", "draining", "storage_full")


class Refused(Exception):
    """An error in place of a result."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['text']}")
        self.code = error["code"]
        self.path = error["path"]
        self.error = error


class NoAnswer(Exception):
    """Nothing came, after every try."""


class Sender:
    """Publishes in batches, many in flight, and asks again what was not answered."""

    kind = zmq.DEALER

    def __init__(self, endpoint, timeout=5, tries=10, client="sender.py"):
        self.endpoint = endpoint
        self.timeout = timeout
        self.tries = tries
        self.client = client
        self.msgid = 0
        self.limits = {}
        self.epoch = None
        self.busy_count = 0
        self.socket = None
        self.connect()

    def connect(self):
        self.close()
        self.socket = zmq.Context.instance().socket(self.kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDTIMEO, int(self.timeout * 1000))
        self.socket.connect(self.endpoint)

    def close(self):
        if self.socket:
            self.socket.close(linger=0)
            self.socket = None

    def __enter__(self):
        return self

    def __exit__(self, *ended):
        self.close()

    # --- one request ---

    def next_id(self):
        self.msgid = (self.msgid + 1) % 2**32
        return self.msgid

    def send(self, method, params):
        msgid = self.next_id()
        self.send_frame(msgpack.packb([0, msgid, method, params]))
        return msgid

    def send_frame(self, frame):
        self.socket.send(frame)

    def receive(self, timeout=None):
        """An answer as (msgid, error, result), or None when nothing came in time."""
        if not self.socket.poll(int((self.timeout if timeout is None else timeout) * 1000)):
            return None
        frame = self.socket.recv_multipart()[-1]
        kind, msgid, error, result = msgpack.unpackb(frame)
        assert kind == 1, "only answers come from the gate"
        assert (error is None) != (result is None), "an answer is an error or a result"
        return msgid, error, result

    def raw(self, frame):
        """One frame of any bytes, and the answer to it."""
        self.send_frame(frame)
        answer = self.receive()
        if answer is None:
            raise NoAnswer()
        return answer

    def call(self, method, params):
        """The result; asks again after `busy` and after silence."""
        for _ in range(self.tries):
            msgid = self.send(method, params)
            answer = self.receive()
            while answer and answer[0] != msgid:  # a late answer to what was asked before
                answer = self.receive()
            if answer is None:
                self.connect()
                continue
            _, error, result = answer
            if error is None:
                return result
            if error["code"] not in AGAIN:
                raise Refused(error)
            self.wait(error)
        raise NoAnswer(method)

    def wait(self, error):
        self.busy_count += 1
        time.sleep(error.get("retry_after_ms", 500) / 1000)

    # --- what can be asked ---

    def hello(self):
        answer = self.call("hello", [{"client": self.client, "versions": ["1"]}])
        self.limits, self.epoch = answer["limits"], answer["epoch"]
        return answer

    def status(self, source, id):
        """The event's number, or None when it was never taken."""
        try:
            return self.call("status", [source, id])["seq"]
        except Refused as refused:
            if refused.code == "not_found":
                return None
            raise

    def publish(self, events):
        """One result per event, in order; what `busy` and its like is said of inside is sent again."""
        results = [None] * len(events)
        left = list(range(len(events)))
        for _ in range(self.tries):
            answers = self.call("publish", [[events[i] for i in left]])
            assert len(answers) == len(left), "one result per event"
            for i, answer in zip(left, answers):
                results[i] = answer
            left = [i for i in left if results[i].get("error", {}).get("code") in AGAIN]
            if not left:
                return results
            self.wait(results[left[0]]["error"])
        raise NoAnswer("publish")

    def publish_many(self, events, batch=100, window=16):
        """All events in batches, so many requests in flight; the results in the order of the events."""
        batches = [events[at:at + batch] for at in range(0, len(events), batch)]
        waiting, results = list(range(len(batches))), [None] * len(batches)
        flying, misses = {}, 0
        while waiting or flying:
            while waiting and len(flying) < window:
                number = waiting.pop(0)
                flying[self.send("publish", [batches[number]])] = number
            answer = self.receive()
            if answer is None:
                misses += 1
                if misses > self.tries:
                    raise NoAnswer("publish")
                waiting = sorted(flying.values()) + waiting
                flying = {}
                self.connect()
                continue
            msgid, error, result = answer
            number = flying.pop(msgid, None)
            if number is None:
                continue
            if error is None:
                results[number] = result
            elif error["code"] in AGAIN:
                waiting.append(number)
                self.wait(error)
            else:
                raise Refused(error)
        done = [entry for part in results for entry in part]
        again = [i for i, entry in enumerate(done)
                 if entry.get("error", {}).get("code") in AGAIN]
        for i, entry in zip(again, self.publish([events[i] for i in again]) if again else []):
            done[i] = entry
        return done


class AskingSender(Sender):
    """The same over a REQ socket."""

    kind = zmq.REQ

    def connect(self):
        self.close()
        self.socket = zmq.Context.instance().socket(self.kind)
        for option, value in ((zmq.LINGER, 0), (zmq.REQ_RELAXED, 1)):
            self.socket.setsockopt(option, value)
        self.socket.connect(self.endpoint)


def event(type, id, time, data, source="urn:fsl:39", subject=None, subjectsource=None, **more):
    """An envelope; `type` without its prefix."""
    made = {"specversion": "1.0", "id": id, "source": source, "type": "fr.vigie." + type,
            "time": time, "data": data}
    if subject is not None:
        made["subject"] = subject
    if subjectsource is not None:
        made["subjectsource"] = subjectsource
    made.update(more)
    return made
