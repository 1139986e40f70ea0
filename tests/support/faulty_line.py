"""A transport behind a line that loses, damages and delays bytes, both ways."""

from support.fake_board import Faults, Line
from tombola.device.transport import Transport


class FaultyLine(Transport):
    """What goes through to another transport and comes from it suffers `faults`.

    A stall delays a byte and all that follow it in its direction, in the board's time.
    """

    def __init__(self, transport: Transport, faults: Faults):
        self.name, self.baud = transport.name, transport.baud
        self.faults, self._transport = faults, transport
        self._to_board, self._to_host = Line(0.0, faults), Line(0.0, faults)

    def clock(self) -> float:
        return self._transport.clock()

    def write(self, content: bytes) -> None:
        self._to_board.send(self.clock(), content)
        self._pass_on()

    def read(self, timeout: float) -> bytes:
        until = self.clock() + timeout
        while True:
            self._pass_on()
            if content := self._due(self._to_host):
                return content
            now = self.clock()
            if now > until:
                return b""
            event = min(until, self._to_board.next, self._to_host.next)
            self._to_host.send(self.clock(), self._transport.read(max(0.0, event - now)))

    def close(self) -> None:
        pass

    def _pass_on(self) -> None:
        if content := self._due(self._to_board):
            self._transport.write(content)

    def _due(self, line: Line) -> bytes:
        content = bytearray()
        while line.next <= self.clock():
            content.append(line.arrivals.popleft()[1])
        return bytes(content)
