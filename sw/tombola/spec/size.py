"""Model size in bits: what a ticket costs, and the same network dense."""

from dataclasses import dataclass

from tombola.spec.arithmetic import BIAS_BITS, SCALE_BITS
from tombola.spec.start_state import MAX_SEED
from tombola.spec.ticket import Conv, Ticket
from tombola.spec.weight_stream import FreezeClass, freeze_classes

SEED_BITS = MAX_SEED.bit_length()


@dataclass(frozen=True, kw_only=True)
class Size:
    """Counts of one network.

    Attributes
    ----------
    weights : int
        Unique weights, frozen ones included.
    layer_weights : int
        Weights as the layers use them: a folded set counts once for each layer.
    searchable_weights : int
        Weights that are neither pruned nor locked by the seed.
    mask_bits : int
        Bits of all masks: one a searchable weight and coat where it is coded, or stored bits.
    requantisation_bits : int
        Scales and biases.
    """

    weights: int
    layer_weights: int
    searchable_weights: int
    mask_bits: int
    requantisation_bits: int

    @property
    def seed_and_mask_bits(self) -> int:
        """Seed and masks: the size without normalisation."""
        return SEED_BITS + self.mask_bits

    @property
    def model_bits(self) -> int:
        """Seed, masks and requantisation: all that a ticket holds of the network."""
        return self.seed_and_mask_bits + self.requantisation_bits

    @property
    def dense_bytes(self) -> int:
        """The layers' weights at 32 bits each, as a dense network would store them."""
        return 4 * self.layer_weights


def searchable_weights(ticket: Ticket, weight_set: int) -> int:
    """Positions of one weight set that the seed left to the search."""
    classes = freeze_classes(ticket.seed, ticket.weight_sets[weight_set])
    return int((classes == FreezeClass.SEARCHABLE).sum())


def measure(ticket: Ticket) -> Size:
    """The size of a ticket, by the contract's accounting."""
    layer_sets = [
        ticket.weight_sets[ticket.masks[layer.mask].weight_set]
        for layer in ticket.layers
        if isinstance(layer, Conv)
    ]
    channels = sum(table.scale.size for table in ticket.requantisations)
    return Size(
        weights=sum(x.weights for x in ticket.weight_sets),
        layer_weights=sum(x.weights for x in layer_sets),
        searchable_weights=sum(
            searchable_weights(ticket, index) for index in range(len(ticket.weight_sets))
        ),
        mask_bits=sum(int(mask.bits.size) for mask in ticket.masks),
        requantisation_bits=channels * (SCALE_BITS + BIAS_BITS),
    )
