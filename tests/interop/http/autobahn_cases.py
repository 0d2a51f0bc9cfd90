"""The cases of Autobahn|Testsuite against our WebSockets, in both roles.

Usage: autobahn_cases.py PROGRAMS server|client [SECTIONS [MESSAGES]], such as `... server 1,2,12.1 1000`. Sections 12 and 13
send MESSAGES messages in each case. The suite itself is for Python 2: its cases are read as they are (build/autobahn),
with the few lines changed that Python 3 reads otherwise. Each character of their texts is an octet.
"""

import binascii
import pathlib
import re
import sys
import types

import lab

try:
    import zope.interface
    from autobahn.twisted import websocket
    from autobahn.websocket import protocol, utf8validator
    from twisted.internet import reactor
except ImportError as missing:
    lab.skip(f"Autobahn is not in build/autobahn: {missing}")

SUITE = lab.FOLDER.parents[2] / "build/autobahn/autobahntestsuite"
# Without 9, large messages and many, whose limits of time a busy machine does not keep with Python at the other end.
SECTIONS = "1,2,3,4,5,6,7,10,12,13"
# Which cases may say so: 6.4 asks whether invalid UTF-8 is seen before its frame ends, and our client offers no size of
# its window, which most of section 13 wants to choose.
ALLOWED = {"OK": "", "INFORMATIONAL": "", "NON-STRICT": "6.4.", "UNIMPLEMENTED": "13."}
PORTED = [
    (r"^from (case\w*) import", r"from .\1 import"),
    (r"^# coding=.*$", ""),
    (r"^(\s*)print (.*)$", r"\1print(\2)"),
    (r"^(\s*)print$", r"\1print()"),
    (r"\bxrange\b", "range"),
    (r"\bunichr\b", "chr"),
    (r"\(object, Case, \)", "(Case, )"),
    (r"len\(self\.payload\) / ", "len(self.payload) // "),
    (r"\bacceptNoContextTakeover\b", "accept_no_context_takeover"),
    (r"\bacceptMaxWindowBits\b", "accept_max_window_bits"),
    (r"\brequestNoContextTakeover\b", "request_no_context_takeover"),
    (r"\brequestMaxWindowBits\b", "request_max_window_bits"),
]


def octets(text):
    return text.encode("latin-1") if isinstance(text, str) else text


def read_cases():
    """Their classes, in the suite's order."""
    folder = lab.temporary_folder() / "autobahntestsuite"
    (folder / "case").mkdir(parents=True)
    for source in (SUITE / "case").glob("*.py"):
        text = source.read_bytes().decode("latin-1")
        for old, new in PORTED:
            text = re.sub(old, new, text, flags=re.MULTILINE)
        (folder / "case" / source.name).write_text(text, encoding="utf-8")
    (folder / "testdata").symlink_to(SUITE / "testdata")
    suite = types.ModuleType("autobahntestsuite")
    suite.__path__, suite.__file__ = [str(folder)], str(folder / "__init__.py")
    sys.modules["autobahntestsuite"] = suite

    zope.interface.implements = lambda *_: None
    in_hex = binascii.b2a_hex
    binascii.b2a_hex = lambda text: in_hex(octets(text)).decode()

    class Validator(utf8validator.Utf8Validator):
        def validate(self, text):
            return super().validate(octets(text))

    utf8validator.Utf8Validator = Validator
    from autobahntestsuite import case
    case.case.Case.compare = lambda self, one, other: one == other
    return case.Cases


def id_of(case):
    return case.__name__.removeprefix("Case").replace("_", ".")


class Fuzzing:
    """What the suite's cases ask of a connection."""

    def prepare(self, case):
        self.connectionWasOpen = self.createWirelog = False
        self.rxFrameStats, self.txFrameStats = {}, {}
        self.case = case
        self.takes_octets = id_of(case).startswith(("12.", "13."))
        self.runCase = case(self)

    def enableWirelog(self, enable):
        pass

    def logRxOctets(self, data):
        pass

    def logTxOctets(self, data, sync):
        pass

    def logRxFrame(self, header, payload):
        self.rxFrameStats[header.opcode] = self.rxFrameStats.get(header.opcode, 0) + 1

    def logTxFrame(self, header, *_):
        self.txFrameStats[header.opcode] = self.txFrameStats.get(header.opcode, 0) + 1

    def continueLater(self, delay, then, tag=None):
        def go_on():
            if self.state != protocol.WebSocketProtocol.STATE_CLOSED:
                then()
        reactor.callLater(delay, go_on)

    def killAfter(self, delay):
        self.continueLater(delay, self._fail_connection)

    def closeAfter(self, delay):
        self.continueLater(delay, self.sendClose)

    def shown(self, payload):
        return payload if self.takes_octets else payload.decode("latin-1")

    def onOpen(self):
        self.connectionWasOpen = True
        self.runCase.onOpen()

    def onMessage(self, payload, is_binary):
        self.runCase.onMessage(self.shown(payload), is_binary)

    def onPing(self, payload):
        self.runCase.onPing(self.shown(payload))
        super().onPing(payload)

    def onPong(self, payload):
        self.runCase.onPong(self.shown(payload))

    def onClose(self, was_clean, code, reason):
        self.runCase.onClose(was_clean, code, reason)

    def sendFrame(self, opcode, payload=b"", **how):
        super().sendFrame(opcode, octets(payload), **how)

    def sendMessage(self, payload, isBinary=False, **how):
        super().sendMessage(octets(payload), isBinary, **how)

    def sendMessageFrameData(self, payload, sync=False):
        return super().sendMessageFrameData(octets(payload), sync)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        super().sendCloseFrame(code, octets(reasonUtf8), isReply)

    def connectionLost(self, reason):
        super().connectionLost(reason)
        self.runCase.onConnectionLost(self.failedByMe)
        self.factory.judge(self.case, self.runCase)


class Client(Fuzzing, websocket.WebSocketClientProtocol):
    pass


class Server(Fuzzing, websocket.WebSocketServerProtocol):
    pass


class Run:
    """One connection for each case, one after another."""

    def begin(self, cases):
        # Its own 1 s for the end is not enough on a busy machine.
        self.setProtocolOptions(failByDrop=False, closeHandshakeTimeout=lab.DEFAULT_TIMEOUT,
                                openHandshakeTimeout=lab.DEFAULT_TIMEOUT)
        self.logOctets = self.logFrames = True
        self.left = list(cases)
        self.running = len(cases)
        self.others = {}

    def buildProtocol(self, _address):
        one = self.protocol()
        one.factory = self
        one.prepare(self.left.pop(0))
        return one

    def judge(self, case, run):
        name = id_of(case)
        for found in (run.behavior, run.behaviorClose):
            if found != "OK":
                self.others[found] = self.others.get(found, 0) + 1
            allowed = found in ALLOWED and name.startswith(ALLOWED[found])
            lab.check(allowed, f"{name}: {found}: {str(run.result)[:200]}; {run.resultClose}")
        self.running -= 1
        if self.running == 0:
            reactor.callLater(0, reactor.stop)


class ClientRun(Run, websocket.WebSocketClientFactory):
    protocol = Client

    def clientConnectionLost(self, connector, _reason):
        if self.left:
            connector.connect()

    def clientConnectionFailed(self, _connector, reason):
        lab.check(False, f"no connection: {reason.getErrorMessage()}")
        reactor.stop()


class ServerRun(Run, websocket.WebSocketServerFactory):
    protocol = Server


def main():
    programs, role = pathlib.Path(sys.argv[1]), sys.argv[2]
    if not SUITE.exists():
        lab.skip("Autobahn|Testsuite is not in build/autobahn")
    wanted = tuple(one + "." for one in (sys.argv[3] if len(sys.argv) > 3 else SECTIONS).split(","))
    cases = [case for case in read_cases() if (id_of(case) + ".").startswith(wanted)]
    for case in cases:
        if id_of(case).startswith(("12.", "13.")):
            case.COUNT = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    if role == "server":
        run = ClientRun(f"ws://127.0.0.1:{lab.Site(programs).port}/live")
        run.begin(cases)
        websocket.connectWS(run)
    else:
        run = ServerRun()
        run.begin(cases)
        port = reactor.listenTCP(0, run, interface="127.0.0.1").getHost().port
        run.setSessionParameters(f"ws://127.0.0.1:{port}")
        run.visitor = lab.start([programs / "http_visitor", f"echo=ws://127.0.0.1:{port}/", f"times={len(cases)}"])
    reactor.run()
    lab.check(run.running == 0, f"{run.running} cases did not end")
    print(f"{len(cases)} cases; not OK: {run.others or 'none'}")
    lab.finish()


main()
