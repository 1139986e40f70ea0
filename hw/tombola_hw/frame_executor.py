"""Executor of the host link's commands: turns frames into accesses of the host bus and answers."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from tombola.spec.link import ANSWER, Command
from tombola_hw.bus import request_layout, response_shape
from tombola_hw.frame_receiver import Action, frame_layout
from tombola_hw.frame_transmitter import content_layout


class FrameExecutor(wiring.Component):
    """Does what a frame asks for, and says so.

    A frame's counts are checked before its first access; a wrong one is answered with NAK. A write
    takes 10 clocks a word, a read 2 and the time of 4 bytes of answer; both wait for the bus.
    Address bits above the bus's are ignored. Golden model: `tombola.spec.link`.

    Members
    -------
    frames : In(stream.Signature(frame_layout()))
    load : In(memory.ReadPort.Signature)
        Of the receiver's buffer.
    requests : Out(stream.Signature(request_layout()))
    responses : In(stream.Signature(response_shape()))
    content : Out(stream.Signature(content_layout()))
    """

    def __init__(self):
        super().__init__({
            "frames": In(stream.Signature(frame_layout())),
            "load": In(memory.ReadPort.Signature(addr_width=9, shape=8)),
            "requests": Out(stream.Signature(request_layout())),
            "responses": In(stream.Signature(response_shape())),
            "content": Out(stream.Signature(content_layout())),
        })

    def elaborate(self, platform):
        m = Module()
        frame = Signal(frame_layout())
        index = Signal(8)   # byte of the payload
        word = Signal(32)   # filled from its high end, emptied from its low end
        words_left = Signal.like(frame.count)   # of a read's answer
        request, content = self.requests.p, self.content.p
        refused = frame.action == Action.UNKNOWN

        m.d.comb += [
            self.load.addr.eq(Cat(index, frame.bank)),
            self.load.en.eq(1),
            request.write.eq(frame.action == Action.WRITE),
            request.data.eq(word),
            content.byte.eq(word[:8]),
        ]

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.frames.ready.eq(1)
                m.d.sync += [frame.eq(self.frames.p), index.eq(0), words_left.eq(0)]
                with m.If(self.frames.valid):
                    m.next = "JUDGE"
            with m.State("JUDGE"):
                m.next = "FETCH"
                with m.If(Mux(frame.action == Action.WRITE, frame.count < 2, frame.count != 2)):
                    m.d.sync += frame.action.eq(Action.UNKNOWN)
                    m.next = "SEQUENCE"
                with m.If(refused):
                    m.next = "SEQUENCE"
            with m.State("FETCH"):
                m.next = "SHIFT"
            with m.State("SHIFT"):
                m.d.sync += [word.eq(Cat(word[8:], self.load.data)), index.eq(index + 1)]
                m.next = "FETCH"
                with m.If(index[:2].all()):
                    m.next = "USE"
            with m.State("USE"):
                with m.If(index == 4):
                    m.d.sync += request.address.eq(word)
                    m.next = "FETCH"
                with m.Elif(frame.action == Action.WRITE):
                    m.next = "WRITE"
                with m.Else():
                    m.d.sync += words_left.eq(word)
                    m.next = "SEQUENCE"
                    with m.If((word[:len(words_left)] == 0) | word[len(words_left):].any()):
                        m.d.sync += [frame.action.eq(Action.UNKNOWN), words_left.eq(0)]
            with m.State("WRITE"):
                m.d.comb += self.requests.valid.eq(1)
                with m.If(self.requests.ready):
                    m.d.sync += request.address.eq(request.address + 1)
                    m.next = "FETCH"
                    with m.If(index[2:] == frame.count):
                        m.next = "SEQUENCE"
            with m.State("SEQUENCE"):
                m.d.comb += [content.byte.eq(frame.sequence), self.content.valid.eq(1)]
                with m.If(self.content.ready):
                    m.next = "COMMAND"
            with m.State("COMMAND"):
                answer = Mux(refused, Command.NAK, ANSWER | frame.action.as_value())
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
                    m.next = "READ"
                    with m.If(words_left == 0):
                        m.next = "IDLE"
            with m.State("READ"):
                m.d.comb += self.requests.valid.eq(1)
                m.d.sync += index.eq(0)
                with m.If(self.requests.ready):
                    m.d.sync += [
                        request.address.eq(request.address + 1),
                        words_left.eq(words_left - 1),
                    ]
                    m.next = "RESPONSE"
            with m.State("RESPONSE"):
                m.d.comb += self.responses.ready.eq(1)
                m.d.sync += word.eq(self.responses.payload)
                with m.If(self.responses.valid):
                    m.next = "DATA"
            with m.State("DATA"):
                ends = index[:2].all()
                m.d.comb += [self.content.valid.eq(1), content.last.eq(ends & (words_left == 0))]
                with m.If(self.content.ready):
                    m.d.sync += [word.eq(Cat(word[8:], self.load.data)), index.eq(index + 1)]
                    with m.If(ends):
                        m.next = "READ"
                        with m.If(words_left == 0):
                            m.next = "IDLE"

        return m
