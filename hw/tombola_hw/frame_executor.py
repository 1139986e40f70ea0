"""Executor of the host link's commands: turns frames into accesses of the host bus and answers."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import enum, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.link import ANSWER, MAX_WORDS, ORDER_BITS, READS, UNSENT, Command
from tombola_hw.bus import request_layout, response_shape
from tombola_hw.frame_receiver import BANK_BITS, HEADER_PLACE
from tombola_hw.frame_transmitter import content_layout


class Action(enum.Enum, shape=3):
    """What a frame asks for, as far as the hardware tells commands apart."""

    UNKNOWN = 0
    WRITE = int(Command.WRITE)
    READ = int(Command.READ)
    WAIT = int(Command.WAIT)
    RESET = int(Command.RESET)
    CHECK = int(Command.CHECK)


def _any(action, commands):
    """Whether `action` is one of these commands."""
    return action.as_value().matches(*sorted(int(command) for command in commands))


class FrameExecutor(wiring.Component):
    """Does what a frame asks for, and says so.

    Order and size of a frame are checked before its first access; a wrong one is answered with
    NAK. The answer's header goes out first, then a word every 50 clocks at most where bus and
    `content` do not wait; `tombola.spec.link.busy_bytes` counts on it. Address bits above the
    bus's are ignored. Golden model: `tombola.spec.link`.

    Members
    -------
    offered, take, bank, urgent
        As in `FrameReceiver`.
    load : In(memory.ReadPort.Signature)
        Of the receiver's buffer.
    requests : Out(stream.Signature(request_layout()))
    responses : In(stream.Signature(response_shape()))
    content : Out(stream.Signature(content_layout()))
    """

    def __init__(self):
        super().__init__({
            "offered": In(1),
            "take": Out(1),
            "bank": In(1),
            "urgent": In(1),
            "load": In(memory.ReadPort.Signature(addr_width=BANK_BITS + 1, shape=8)),
            "requests": Out(stream.Signature(request_layout())),
            "responses": In(stream.Signature(response_shape())),
            "content": Out(stream.Signature(content_layout())),
        })

    def elaborate(self, platform):
        m = Module()
        bank = Signal()
        place = Signal(BANK_BITS)   # byte of the bank
        word = Signal(32)           # filled from its high end, emptied from its low end
        byte = Signal(2)            # of the word, as it is emptied
        words_left = Signal(range(MAX_WORDS + 1))
        action = Signal(Action)
        sequence = Signal(8)
        last = Signal(ORDER_BITS)  # sequence number of the request taken last
        known = Signal()            # there was a RESET, so that `last` means something
        again = Signal()            # the request was executed before
        request, content = self.requests.p, self.content.p

        reads, resets = _any(action, READS), action == Action.RESET
        unsent = _any(action, (answer ^ ANSWER for answer in UNSENT))
        # One's complement subtracts one more: 0 is the next request, a negative number an old one.
        # Five bits are enough for both and save 10 LUT4.
        ahead = (sequence + ~last)[:ORDER_BITS]
        too_short = words_left < 2
        out_of_order = ~resets & (~known | (ahead != 0) & ~ahead[-1])
        refused, following = Signal(), Signal()

        m.d.comb += [
            self.load.addr.eq(Cat(place, bank)),
            self.load.en.eq(1),
            request.write.eq(~reads),
            request.data.eq(word),
            content.byte.eq(word[:8]),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.take.eq(1)
                m.d.sync += [bank.eq(self.bank), place.eq(HEADER_PLACE)]
                with m.If(self.offered):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "SHIFT"
            with m.State("SHIFT"):
                m.d.sync += [word.eq(Cat(word[8:], self.load.data)), place.eq(place + 1)]
                m.next = "FETCH"
                with m.If(place[:2].all()):
                    m.next = "USE"
            with m.State("USE"):
                with m.If(place == 0):
                    m.d.sync += [
                        sequence.eq(word[8:16]),
                        action.eq(Action.UNKNOWN),
                        words_left.eq(word[24:]),
                    ]
                    with m.Switch(word[16:24]):
                        for each in Action:
                            if each is not Action.UNKNOWN:
                                with m.Case(each.value):
                                    m.d.sync += action.eq(each)
                    m.next = "COMPARE"
                with m.Elif(place == 4):
                    m.d.sync += [request.address.eq(word), words_left.eq(words_left - 1)]
                    m.next = "SEQUENCE"
                    with m.If(reads):
                        m.next = "FETCH"
                with m.Elif(reads):
                    m.d.sync += words_left.eq(word)
                    m.next = "SEQUENCE"
                    with m.If(action == Action.WAIT):
                        m.next = "PROBE"
                with m.Else():
                    m.next = "WRITE"
            with m.State("COMPARE"):
                m.d.sync += [
                    again.eq(ahead[-1] & ~resets),
                    following.eq((ahead == 0) | resets),
                    refused.eq((action == Action.UNKNOWN) | too_short | out_of_order),
                ]
                m.next = "JUDGE"
            with m.State("JUDGE"):
                with m.If(refused):
                    m.d.sync += [action.eq(Action.UNKNOWN), words_left.eq(0)]
                    m.next = "SEQUENCE"
                with m.Else():
                    with m.If(following):
                        m.d.sync += [last.eq(sequence), known.eq(1)]
                    m.next = "FETCH"
            with m.State("PROBE"):
                m.d.comb += self.requests.valid.eq(1)
                with m.If(self.requests.ready):
                    m.next = "PROBED"
            with m.State("PROBED"):
                m.d.comb += self.responses.ready.eq(1)
                with m.If(self.responses.valid):
                    m.next = "PROBE"
                    with m.If(~self.responses.payload[0]):
                        m.next = "SEQUENCE"
                    with m.Elif(self.offered & self.urgent):
                        m.next = "IDLE"
            with m.State("SEQUENCE"):
                m.d.comb += [content.byte.eq(sequence), self.content.valid.eq(1)]
                with m.If(self.content.ready):
                    m.next = "COMMAND"
            with m.State("COMMAND"):
                answer = Mux(
                    action == Action.UNKNOWN, Command.NAK, ANSWER | action.as_value()
                )
                m.d.comb += [content.byte.eq(answer), self.content.valid.eq(1)]
                with m.If(self.content.ready):
                    m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += [
                    content.byte.eq(words_left),
                    content.last.eq(words_left == 0),
                    self.content.valid.eq(1),
                ]
                with m.If(self.content.ready):
                    m.next = "NEXT"
            with m.State("NEXT"):
                m.next = "FETCH"
                with m.If(reads):
                    m.next = "READ"
                with m.If(words_left == 0):
                    m.next = "IDLE"
            with m.State("WRITE"):
                m.d.comb += self.requests.valid.eq(~again)
                with m.If(self.requests.ready | again):
                    m.next = "COUNT_WORD"
            with m.State("READ"):
                m.d.comb += self.requests.valid.eq(1)
                with m.If(self.requests.ready):
                    m.next = "RESPONSE"
            with m.State("RESPONSE"):
                m.d.comb += self.responses.ready.eq(1)
                m.d.sync += word.eq(self.responses.payload)
                with m.If(self.responses.valid):
                    m.next = "COUNT_WORD"
            with m.State("COUNT_WORD"):
                m.d.sync += [
                    request.address.eq(request.address + 1),
                    words_left.eq(words_left - 1),
                ]
                m.next = "DATA"
            with m.State("DATA"):
                ends = byte.all()
                m.d.comb += [
                    self.content.valid.eq(1),
                    content.last.eq(ends & (words_left == 0)),
                    content.unsent.eq(unsent),
                ]
                with m.If(self.content.ready):
                    m.d.sync += [word.eq(Cat(word[8:], self.load.data)), byte.eq(byte + 1)]
                    with m.If(ends):
                        m.next = "NEXT"

        return m
