"""The host's end of the serial link: requests in order, under way together, sent again if lost."""

from collections import deque
from collections.abc import Callable

from tombola.device import troubles
from tombola.device.answers import Answer, AnswerReader, expectation
from tombola.device.request import Request, Statistics
from tombola.device.timing import Timing
from tombola.device.transport import Transport
from tombola.spec.link import WRITES, Command, Frame, busy_bytes
from tombola.spec.registers import ADDRESS, STOP

UNDER_WAY = 8
"""Requests without an answer, at most: half of those the board knows again."""
SAME_MISMATCHES = 3
"""A CRC damaged on the line hardly comes again and again; one over other words does."""
DISCARD_SECONDS = 1.0
GREETINGS = 5
"""A RESET that stays without an answer so often will stay so."""


class Link:
    """Sends requests and finds their answers, whatever the line loses or damages.

    Requests are executed exactly once, in order, as `tombola.spec.link` lays down. `send` returns
    once the request is on its way; `finish` waits for its answer.

    Parameters
    ----------
    transport : Transport
    timing : Timing
        When a request is sent again and when it is given up.

    Attributes
    ----------
    statistics : Statistics
    timing : Timing
    """

    def __init__(self, transport: Transport, *, timing: Timing | None = None) -> None:
        self.statistics = Statistics()
        self._transport = transport
        self.timing = timing or Timing(transport.baud)
        self._clock = transport.clock
        self._reader = AnswerReader()
        self._under_way: deque[Request] = deque()
        self._sequence = 0

    def reset(self) -> None:
        """Ends whatever board and link were about; the numbering starts anew.

        Raises
        ------
        DeviceError
            If nothing, or no frame of ours, comes back; with what to check.
        """
        self._under_way.clear()
        self._reader.clear()
        deadline = self._clock() + DISCARD_SECONDS
        while self._receive(0.0) and self._clock() < deadline:
            pass
        request = self._make(Command.RESET, (ADDRESS["control"], STOP), ())
        self._under_way.append(request)
        before, refused = self.statistics.bytes_received, self.statistics.refused
        for _ in range(GREETINGS):
            self._put(request)
            deadline = self._clock() + self.timing.wait(size=request.size, behind_run=False)
            while (left := deadline - self._clock()) > 0:
                self._take(self._reader.feed(self._receive(left)))
                if request.done:
                    self.timing.relax()
                    return
            self._reader.give_up()
            self.timing.back_off()
        self._under_way.clear()
        self.timing.relax()
        if self.statistics.refused > refused:
            raise troubles.refused(self._transport)
        if self.statistics.bytes_received > before:
            raise troubles.no_engine(self._transport)
        raise troubles.no_answer(self._transport)

    def send(self, command: Command, *words: int, expected: tuple[int, ...] = ()) -> Request:
        """Puts a request on its way, once there is room for it at the board.

        Parameters
        ----------
        command, words
            As `tombola.spec.link` says.
        expected : tuple of int
            The words that a CHECK must find.
        """
        request = self._make(command, words, expected)
        self._pump(until=self._has_room)
        runs = (each.behind_run for each in self._under_way)
        request.behind_run = command == Command.WAIT or any(runs)
        self._under_way.append(request)
        self._put(request)
        self._take(self._reader.feed(self._receive(0.0)))
        return request

    def finish(self, *requests: Request) -> None:
        """Waits until these requests are done; all that are under way if none is named.

        Raises
        ------
        DeviceError
            If the board does not answer or has lost its state.
        """
        wanted = requests or tuple(self._under_way)
        self._pump(until=lambda: all(each.done for each in wanted))

    def _make(
        self, command: Command, words: tuple[int, ...], expected: tuple[int, ...]
    ) -> Request:
        self._sequence = (self._sequence + 1) % 256
        frame = Frame(sequence=self._sequence, command=command, words=words)
        answer = expectation(frame, expected)
        self._reader.expect(frame.sequence, answer)
        self.statistics.requests += 1
        content = frame.to_bytes()
        return Request(frame=frame, content=content, size=len(content) + answer.size)

    def _put(self, request: Request) -> None:
        self.statistics.bytes_sent += len(request.content)
        self.statistics.resent += request.sent > 0
        request.sent += 1
        request.sent_at = self._clock()
        self._transport.write(request.content)

    def _has_room(self) -> bool:
        """Whether the board keeps a further request if nothing of those under way is done yet.

        A request finds the board idle, or is kept until it is; then no other may follow.
        """
        arrives = idle = 0.0
        for request in self._under_way:
            arrives += len(request.content)
            if idle > arrives:
                return False
            idle = arrives + busy_bytes(request.frame)
        return len(self._under_way) < UNDER_WAY

    def _receive(self, timeout: float) -> bytes:
        content = self._transport.read(timeout)
        self.statistics.bytes_received += len(content)
        return content

    def _pump(self, until: Callable[[], bool]) -> None:
        """Takes answers and sends again what is overdue, until something is so."""
        progress = self._clock()
        while not until():
            under_way = self._under_way
            behind_run = any(request.behind_run for request in under_way)
            wait = self.timing.wait(
                size=sum(request.size for request in under_way), behind_run=behind_run
            )
            overdue = max(progress, *(request.sent_at for request in under_way)) + wait
            answers = self._reader.feed(self._receive(max(0.0, overdue - self._clock())))
            late = self._clock() >= overdue
            if late and not answers:
                # Half an answer, and nothing more comes: it is none.
                answers = self._reader.give_up()
            if self._take(answers):
                progress = self._clock()
                self.timing.relax()
            elif self._clock() - progress > self.timing.patience(behind_run=behind_run):
                self._fail(behind_run)
            elif late:
                self.timing.back_off()
                self._send_again()
        self.statistics.damaged = self._reader.skipped

    def _take(self, answers: list[Answer]) -> bool:
        """Whether any of the answers finished a request."""
        finished = False
        for answer in answers:
            request = next(
                (each for each in self._under_way if each.frame.sequence == answer.sequence), None
            )
            if request is None:
                continue  # to a request that was sent again and is done
            if answer.refused:
                self._refuse(request)
            elif not answer.matches:
                finished |= self._mismatch(request, answer)
            else:
                self._complete(request, answer.words)
                finished = True
        return finished

    def _complete(self, request: Request, words: tuple[int, ...]) -> None:
        request.words, request.matches = words, True
        if request.sent == 1:
            self.timing.observe(
                self._clock() - request.sent_at, size=request.size, behind_run=request.behind_run
            )
        # The board takes requests in order: writes before this one were done. Reads are sent
        # again if their words are missing.
        for earlier in list(self._under_way):
            if earlier is request:
                break
            if earlier.frame.command in WRITES:
                earlier.words, earlier.matches = (), True
                self._under_way.remove(earlier)
        self._under_way.remove(request)

    def _refuse(self, request: Request) -> None:
        self.statistics.refused += 1
        if request.frame.command == Command.RESET:
            return
        if request is self._under_way[0]:
            # All before it were taken, so that this one is not out of order.
            self._under_way.clear()
            raise troubles.refused(self._transport)
        request.refused += 1
        # Once all are back that were sent: else each round would start the next while others are
        # on the line, and no request would ever find the board idle.
        if request is self._under_way[-1] and request.refused == request.sent:
            self._send_again()

    def _mismatch(self, request: Request, answer: Answer) -> bool:
        request.mismatches.append(answer.crc)
        if request.mismatches.count(answer.crc) < SAME_MISMATCHES:
            self._put(request)
            return False
        if request.frame.command in WRITES:
            self._under_way.clear()
            raise troubles.other_words(self._transport)
        request.words, request.matches = (), False
        self._under_way.remove(request)
        return True

    def _send_again(self) -> None:
        for request in self._under_way:
            self._put(request)

    def _fail(self, behind_run: bool) -> None:
        patience = self.timing.patience(behind_run=behind_run)
        self._under_way.clear()
        if behind_run:
            self.reset()
            raise troubles.endless_run(self._transport, patience)
        raise troubles.fell_silent(self._transport, patience)
