"""A ticket compiled for one engine: what to write where, and how to read results back."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tombola.compiler import (
    estimate,
    fit,
    fusing,
    images,
    layers,
    memory_plan,
    packing,
    steps,
    strips,
)
from tombola.compiler.layers import StepPlaces
from tombola.compiler.memory_plan import Placement
from tombola.compiler.steps import Plan
from tombola.spec import descriptor, reference, rules
from tombola.spec.engine import EngineConfig
from tombola.spec.power_up import PowerUp
from tombola.spec.registers import Window
from tombola.spec.rules import TensorInfo
from tombola.spec.ticket import Conv, Ticket

Writes = list[tuple[int, np.ndarray]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Everything a host needs to run one ticket on one engine.

    Attributes
    ----------
    ticket, config
        What was compiled for what.
    tensors : tuple of TensorInfo
        Tensor 0 is the input, tensor i + 1 the output of layer i.
    plan : Plan
        Steps and buffers.
    placements : dict of Placement
        Of every buffer but the logits.
    descriptors : tuple of dict
        Fields of each step, by name.
    ticket_image : uint32 array
        Content of the ticket memory from word 0, where `digest` stands.
    table_image : uint64 array
        Entries of the requantisation table from entry 0.
    batch : int
        Images of one run: the rows of all its tensors, if there are several.
    """

    ticket: Ticket
    config: EngineConfig
    tensors: tuple[TensorInfo, ...]
    plan: Plan
    placements: dict[int, Placement]
    descriptors: tuple[dict[str, int], ...]
    ticket_image: np.ndarray
    table_image: np.ndarray
    batch: int = 1

    @property
    def layer_count(self) -> int:
        """Layers of a whole run."""
        return len(self.ticket.layers)

    @cached_property
    def writes(self) -> Writes:
        """(address, words) to write once, before the first image; the digest comes last.

        So the digest in the memory is that of a whole program, if it was 0 while the rest was
        written.
        """
        table_words = self.table_image.astype("<u8").view("<u4")
        return [
            (Window.TICKET.base + descriptor.FIRST, self.ticket_image[descriptor.FIRST :]),
            (Window.TABLE.base, table_words),
            (Window.TICKET.base, self.digest),
        ]

    @property
    def digest(self) -> np.ndarray:
        """Uint32 (2,): tells this program from all others; see `images.digest`."""
        return self.ticket_image[: descriptor.FIRST]

    @property
    def power_up(self) -> PowerUp:
        """Contents of an engine's memories with which it runs this ticket straight after reset."""
        return PowerUp(ticket=self.ticket_image.tolist(), table=self.table_image.tolist())

    def stop_after(self, layers: int) -> Writes:
        """(address, words) that let a run end after its first `layers` layers, or with the last."""
        word, bit = self.config.descriptor.places["last"]
        writes = []
        count = len(self.plan.steps)
        stop = sum(step.layer < layers for step in self.plan.steps)
        for index in range(count):
            at = descriptor.FIRST + index * self.config.descriptor.words + word
            others = int(self.ticket_image[at]) & ~(1 << bit)
            ends = index + 1 in (stop, count)
            writes.append((Window.TICKET.base + at, np.array([others | ends << bit], np.uint32)))
        return writes

    def image_writes(self, images: np.ndarray) -> Iterator[Writes]:
        """For each image, or each batch of them, (address, words) of the activation window.

        Parameters
        ----------
        images : uint8 array (count, ...)
            As `reference.input_tensor` takes them; what the last batch lacks is 0.
        """
        values = reference.input_tensor(self.ticket, images)
        missing = -len(values) % self.batch
        values = np.concatenate([values, np.zeros((missing, *values.shape[1:]), values.dtype)])
        for first in range(0, len(values), self.batch):
            laid_out = self.plan.buffers[0].lay_out(values[first : first + self.batch])
            ranges = self.tensor_ranges(0)
            ends = np.cumsum([count for _, count in ranges])
            parts = np.split(self._to_words(laid_out), ends[:-1])
            yield [(address, part) for (address, _), part in zip(ranges, parts, strict=True)]

    def _to_words(self, values: np.ndarray) -> np.ndarray:
        channels, height, width = values.shape
        padded = np.zeros((-(-channels // self.config.lanes) * self.config.lanes, height, width))
        padded[:channels] = values
        lanes = padded.transpose(1, 2, 0).astype(np.int64).astype(np.uint8).reshape(-1, self._unit)
        words = np.zeros((lanes.shape[0], 4), dtype=np.uint8)
        words[:, : self._unit] = lanes
        return words.view("<u4").ravel()

    @property
    def _unit(self) -> int:
        """Activation bytes in one word of the host's window."""
        return min(4, self.config.lanes)

    def tensor_ranges(self, tensor: int) -> list[tuple[int, int]]:
        """Address and number of host words of each strip; the last tensor's are the results.

        No words if the engine keeps no such tensor, since it pools before it writes.
        """
        if tensor == self.plan.results:
            return [self.result_words]
        if tensor not in self.placements:
            return [(Window.ACTIVATIONS.base, 0)]
        place, buffer = self.placements[tensor], self.plan.buffers[tensor]
        ratio = self.config.lanes // self._unit
        _, height, width = buffer.shape
        ranges = []
        for strip, first in enumerate(range(0, height, buffer.rows)):
            word = strip * self.config.activation_words + place.base
            words = min(buffer.rows, height - first) * width * place.groups
            ranges.append((Window.ACTIVATIONS.base + word * ratio, words * ratio))
        return ranges

    def tensor_from_words(self, tensor: int, words: np.ndarray) -> np.ndarray:
        """Host words of all of a tensor's ranges to an int64 array (channels, height, width).

        All empty if there are no words.
        """
        if not words.size:
            return np.zeros((0, 0, 0), dtype=np.int64)
        buffer = self.plan.buffers[tensor]
        channels, height, width = buffer.shape
        if tensor == self.plan.results:
            return self.logits_from_words(words).reshape(height, width, channels).transpose(2, 0, 1)
        lanes = np.ascontiguousarray(words, dtype="<u4").view(np.uint8).reshape(-1, 4)
        values = lanes[:, : self._unit].reshape(height, width, -1)[:, :, :channels]
        signed = values.view(np.int8) if buffer.type.signed else values
        return buffer.take_up(signed.transpose(2, 0, 1).astype(np.int64))

    @property
    def result_words(self) -> tuple[int, int]:
        """Address and number of the logits, position by position, channels innermost."""
        return Window.RESULTS.base, self.tensors[-1].values * self.batch

    def logits_from_words(self, words: np.ndarray) -> np.ndarray:
        """Host words of the results to int64 logits (values,), in the order of `result_words`."""
        return np.ascontiguousarray(words, dtype="<u4").view("<i4").astype(np.int64)

    @property
    def macs(self) -> int:
        """Masked additions of one run: weights x positions x planes, padding included."""
        total = 0
        for index, layer in enumerate(self.ticket.layers):
            if isinstance(layer, Conv):
                mask = self.ticket.masks[layer.mask]
                _, height, width = self.tensors[index + 1].shape
                weights = self.ticket.weight_sets[mask.weight_set].weights
                total += weights * height * width * mask.coding.planes * self.batch
        return total

    @property
    def cycles(self) -> int:
        """Estimated clocks of one run."""
        return sum(estimate.layer_cycles(fields, self.config) for fields in self.descriptors)


def compile_ticket(ticket: Ticket, config: EngineConfig, *, batch: int = 1) -> Program:
    """Plans memory and makes the images of ticket memory and requantisation table.

    Parameters
    ----------
    ticket : Ticket
    config : EngineConfig
    batch : int
        Images of one run; several need a network of linear layers.

    Raises
    ------
    FitError
        If the engine lacks an operation, a width or room; with the need and what there is.
    TicketError
        If the ticket itself is unsound.
    """
    tensors = rules.check(ticket)
    for index in range(len(ticket.layers)):
        fit.check_layer(ticket, index, tensors, config)
    plan = steps.plan(ticket, tensors, config, batch=batch)
    plan = packing.pack(ticket, fusing.fuse(ticket, plan, config), config)
    plan = strips.cut(plan, config)
    placements = memory_plan.place(plan, config)
    first_mask = descriptor.FIRST + len(plan.steps) * config.descriptor.words
    starts, masks_image = images.mask_memory(ticket, first_mask)
    tables, table_image = images.table(ticket, plan, config)
    logits = tensors[-1].values * batch
    fit.require(logits, config.result_words, "results: logits", "use a larger result memory")
    results = Placement(base=0, words=logits, groups=1)
    descriptors = []
    for step, entry in zip(plan.steps, tables, strict=True):
        layer = ticket.layers[step.layer]
        places = StepPlaces(
            source=placements[step.source],
            target=placements.get(step.target, results),
            table=entry,
            starts=starts[layer.mask] if isinstance(layer, Conv) else 0,
            residual=None if step.residual is None else placements[step.residual],
        )
        fields = layers.fields(ticket, plan, step, places, config)
        fit.check_step(fields, step.layer, config)
        descriptors.append(fields)
    packed = [config.descriptor.pack(fields) for fields in descriptors]
    image = np.array(packed, dtype=np.uint32).ravel()
    content = np.concatenate([image, masks_image])
    ticket_image = np.concatenate([images.digest(config, content, table_image), content])
    fit.require(
        ticket_image.size,
        config.ticket_words,
        "ticket memory: words of 32 bits",
        "freeze more weights or use a larger ticket memory",
    )
    return Program(
        ticket=ticket,
        config=config,
        tensors=tensors,
        plan=plan,
        placements=placements,
        descriptors=tuple(descriptors),
        ticket_image=ticket_image,
        table_image=table_image,
        batch=batch,
    )
