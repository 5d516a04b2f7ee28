"""The drawings on networks, batches, data and images against Keras, scikit-learn, Pillow and NumPy."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.model_selection import KFold, train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from dlquiz.quiz.draws.drawn import Drawn, drawings

SEEDS = range(200)


def drawn(name: str) -> Iterator[Drawn]:
    for seed in SEEDS:
        yield drawings()[name](random.Random(seed))


def numbers(one: Drawn, names: str) -> list[float]:
    return [float(one.values[name]) for name in names.split()]


def whole(one: Drawn, names: str) -> list[int]:
    return [int(number) for number in numbers(one, names)]


def agree(name: str, oracle: Callable[[Drawn], float], tolerance: float = 1e-9) -> None:
    answers, expected = [], []
    for one in drawn(name):
        answers.append(one.answer)
        expected.append(float(oracle(one)))
    np.testing.assert_allclose(answers, expected, rtol=0, atol=tolerance)
    assert len(set(answers)) > 8, "one and the same question again and again"


def batches(samples: int, batch: int) -> list[range]:
    return [range(samples)[start : start + batch] for start in range(0, samples, batch)]


def test_epoch_updates() -> None:
    def counted(one: Drawn) -> int:
        samples, batch, epochs, steps, full, rest = whole(one, "samples batch epochs steps whole rest")
        cut = batches(samples, batch)
        assert [len(cut), len(cut) - 1, len(cut[-1])] == [steps, full, rest]
        return sum(1 for _ in range(epochs) for _ in cut)

    agree("epoch-updates", counted)


def test_last_batch_size() -> None:
    def last(one: Drawn) -> int:
        samples, batch, full, covered = whole(one, "samples batch whole full")
        *before, left = batches(samples, batch)
        assert [len(before), sum(map(len, before))] == [full, covered]
        return len(left)

    agree("last-batch-size", last)


def test_multi_gpu_steps() -> None:
    def counted(one: Drawn) -> int:
        samples, batch, gpus, total = whole(one, "samples batch gpus total")
        shares = [batches(samples // gpus, batch) for _ in range(gpus)]
        assert {len(part) for share in shares for part in share} == {batch}
        assert sum(len(share[0]) for share in shares) == total
        assert sum(len(part) for share in shares for part in share) == samples
        return max(map(len, shares))

    agree("multi-gpu-steps", counted)


def test_tiny_mlp_forward() -> None:
    def output(one: Drawn) -> float:
        weights = np.reshape(numbers(one, "w00 w01 w10 w11"), (2, 2))
        z = weights @ numbers(one, "x0 x1") + numbers(one, "b0 b1")
        h = np.maximum(z, 0)
        np.testing.assert_array_equal(np.concatenate([z, h]), numbers(one, "z0 z1 h0 h1"))
        return float(h @ numbers(one, "v0 v1") + numbers(one, "c")[0])

    agree("tiny-mlp-forward", output)


def test_mlp_parameters() -> None:
    def counted(one: Drawn) -> int:
        inputs, first, second, outputs = whole(one, "inputs first second outputs")
        model = keras.Sequential([keras.Input((inputs,)), *map(keras.layers.Dense, (first, second, outputs))])
        kernels = sum(layer.kernel.shape[0] * layer.kernel.shape[1] for layer in model.layers)
        assert [kernels, model.count_params() - kernels] == whole(one, "weights biases")
        return int(model.count_params())

    agree("mlp-parameters", counted)


def test_perceptron_update() -> None:
    def after(one: Drawn) -> float:
        w, x = np.array(numbers(one, "w0 w1 b")), np.array([*numbers(one, "x0 x1"), 1])
        z = w @ x
        output = np.heaviside(z, 1)
        target, rate = numbers(one, "t rate")
        assert [z, output, target - output] == numbers(one, "z o error")
        assert output != target
        return float((w + rate * (target - output) * x)[0])

    agree("perceptron-update", after)


def test_min_max_scaling() -> None:
    def scaled(one: Drawn) -> float:
        low, high, x, span, above = numbers(one, "low high x span above")
        assert [high - low, x - low] == [span, above]
        return float(MinMaxScaler().fit([[low], [high]]).transform([[x]]).item())

    agree("min-max-scaling", scaled)


def test_z_score() -> None:
    def scaled(one: Drawn) -> float:
        train = np.reshape(numbers(one, "t0 t1 t2 t3"), (4, 1))
        scaler = StandardScaler().fit(train)
        x, mean, deviation, above = numbers(one, "x mean deviation above")
        np.testing.assert_allclose([scaler.mean_[0], scaler.scale_[0], x - mean], [mean, deviation, above])
        return float(scaler.transform([[x]]).item())

    agree("z-score", scaled)


def test_split_size() -> None:
    def left(one: Drawn) -> int:
        samples, test, validation, rest = whole(one, "samples test validation rest")
        kept, held = train_test_split(np.arange(samples), test_size=test / 100, random_state=0)
        assert [len(kept), len(held) * 100] == [rest, samples * test]
        return len(train_test_split(kept, test_size=round(rest * validation / 100), random_state=0)[0])

    agree("split-size", left)


def test_k_fold_size() -> None:
    def trained_on(one: Drawn) -> int:
        k, samples, fold, rest = whole(one, "k samples fold rest")
        sizes = {(len(train), len(held)) for train, held in KFold(k).split(np.arange(samples))}
        ((train, held),) = sizes
        assert [held, train // held] == [fold, rest]
        return train

    agree("k-fold-size", trained_on)


def test_image_bytes() -> None:
    def held(one: Drawn) -> int:
        images, side, channels = whole(one, "images side channels")
        array = np.empty((images, side, side, channels), str(one.values["kind"]))
        assert [array.size, array.itemsize] == whole(one, "numbers size")
        assert one.values["colours"] == {1: "grayscale", 3: "RGB"}[channels]
        return array.nbytes

    agree("image-bytes", held)


def test_number_of_colours() -> None:
    def listed(one: Drawn) -> int:
        bits, channels, levels = whole(one, "bits channels levels")
        assert levels == int("1" * bits, 2) + 1
        return int(np.indices((levels,) * channels)[0].size)

    agree("number-of-colours", listed)


def test_luma() -> None:
    def grey(one: Drawn) -> float:
        r, g, b = whole(one, "r g b")
        return float(Image.new("RGB", (1, 1), (r, g, b)).convert("L").tobytes()[0])

    # Pillow rounds to whole grey values
    agree("luma", grey, tolerance=1)
    for one in drawn("luma"):
        assert one.answer == pytest.approx(np.dot([0.299, 0.587, 0.114], numbers(one, "r g b")))


def test_alpha_blend() -> None:
    def composed(one: Drawn) -> float:
        front, back, alpha = whole(one, "front back alpha")
        over = Image.new("RGBA", (1, 1), (front, front, front, alpha))
        under = Image.new("RGBA", (1, 1), (back, back, back, 255))
        return float(Image.alpha_composite(under, over).tobytes()[0])

    # Pillow rounds to whole values
    agree("alpha-blend", composed, tolerance=1)
    for one in drawn("alpha-blend"):
        share, rest, front, back = numbers(one, "share rest front back")
        assert one.answer == pytest.approx(share * front + rest * back)
        assert share == pytest.approx(numbers(one, "alpha")[0] / 255)
        assert rest == pytest.approx(1 - share)
