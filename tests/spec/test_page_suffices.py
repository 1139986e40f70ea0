"""The pages suffice: what was written from docs/ alone gives the package's bits."""

import base64

from support import plain
from support.page import known_answer
from support.rich_ticket import rich_image, rich_ticket
from support.tickets import mixed_network
from support.tiny_ticket import tiny_image, tiny_ticket

from tombola.spec import reference, ticket_file


def test_the_tiny_ticket_of_the_page_loads_and_runs():
    answer = known_answer("ticket-format.md", "tiny-ticket")
    content = base64.b64decode("".join(answer["file"]))
    tensors = [plain.flat(tensor) for tensor in plain.run(content, answer["image"])]
    assert tensors == answer["tensors"]
    assert tensors[-1].index(max(tensors[-1])) == answer["winner"]


def test_the_package_writes_and_reads_the_bytes_of_the_page():
    answer = known_answer("ticket-format.md", "tiny-ticket")
    content = base64.b64decode("".join(answer["file"]))
    assert ticket_file.to_bytes(tiny_ticket()) == content
    assert tiny_image().reshape(-1).tolist() == answer["image"]
    tensors = reference.infer(ticket_file.from_bytes(content), tiny_image())
    assert [tensor.reshape(-1).tolist() for tensor in tensors] == answer["tensors"]


def test_the_page_says_how_to_write_the_file():
    for ticket in (tiny_ticket(), mixed_network().build()):
        content = ticket_file.to_bytes(ticket)
        text, _, values, raw = plain.read(content)
        assert plain.written(text, values, raw) == content


def test_a_mixed_network_gives_the_same_tensors():
    network = mixed_network(seed=3)
    ticket, image = network.build(), network.images(1)
    want = [tensor.reshape(-1).tolist() for tensor in reference.infer(ticket, image)]
    got = plain.run(ticket_file.to_bytes(ticket), image.reshape(-1).tolist())
    assert [plain.flat(tensor) for tensor in got] == want


def test_groups_folding_and_additions_give_the_same_tensors():
    ticket, image = rich_ticket(), rich_image()
    want = [tensor.reshape(-1).tolist() for tensor in reference.infer(ticket, image)]
    got = plain.run(ticket_file.to_bytes(ticket), image.reshape(-1).tolist())
    assert [plain.flat(tensor) for tensor in got] == want
