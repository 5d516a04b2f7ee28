"""Hidden suite of `tensors-and-images`.

Expected values come from whole-number arithmetic, Python loops over pixels, and float64 loops over features. Alphas are
multiples of 1/64, so that a blend is exact in any float and halves are real. Where rows are shuffled, what must hold of
every shuffle is checked; the tests that ask whether it is one give a false alarm in fewer than one run in 10^6.
"""

import collections
import functools
import itertools
import math
import random
import sys
import threading

import numpy as np
import pytest

from dlquiz import data

LUMA = np.array([299, 587, 114])
SEEDS = 80
STEPS = 30_000


def same(found, expected):
    """Equal in shape, dtype and every value."""
    np.testing.assert_array_equal(np.asarray(found), expected, strict=True)


def close(found, expected, rtol=1e-5, atol=1e-6):
    """float32, and near the expected values."""
    found = np.asarray(found)
    assert found.dtype == np.float32, f"expected float32, received {found.dtype}"
    assert found.shape == np.shape(expected), f"expected shape {np.shape(expected)}, received {found.shape}"
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def whole(value):
    """A single whole number as an int."""
    value = np.asarray(value, object if type(value) is int else None)
    assert value.shape == (), f"expected one number, received shape {value.shape}"
    value = value.item()
    assert type(value) is int, f"expected an int, received a {type(value).__name__}"
    return value


def rows_of(part):
    """An array of row numbers as a list of ints."""
    part = np.asarray(part)
    assert part.ndim == 1, f"expected row numbers of shape (n,), received {part.shape}"
    assert part.dtype.kind in "iu", f"expected whole numbers, received {part.dtype}"
    return part.tolist()


@functools.cache
def photographs():
    return data.load("photographs").features


def photograph(rng, height=213, width=320):
    """A piece of one of the two, mirrored at random, its channels in random order."""
    picture = photographs()[rng.integers(2)][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    top, left = rng.integers(0, 214 - height), rng.integers(0, 321 - width)
    return np.ascontiguousarray(picture[top : top + height, left : left + width, rng.permutation(3)])


def pixels(rng, *shape):
    return rng.integers(0, 256, shape, dtype="uint8")


def result_and_argument(function, argument, *others):
    """What a function returns, and what it has made of its first argument."""
    return function(argument, *others), argument


# 1. Images as tensors


@pytest.mark.problem("image_tensors", points=2)
@pytest.mark.hint("Convert before you divide; look at the dtype of the result.")
def test_to_float(student, rng):
    """to_float turns bytes into float32 from 0 to 1."""
    image = pixels(rng, 2, 5, 7, 3)
    image[0, 0, 0] = 0, 1, 255
    close(student.to_float(image), image / 255)


@pytest.mark.problem("image_tensors", points=3)
@pytest.mark.hint("Scale, round, and only then change the dtype. What happens to 1.2 and to -0.2?")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_to_uint8(student, rng, dtype):
    """to_uint8 rounds to the nearest byte, clips, and undoes the division by 255."""
    expected = rng.integers(1, 255, (4, 9, 3))
    values = (expected + rng.choice([-0.45, -0.2, 0.2, 0.45], expected.shape)) / 255
    expected[0, 0], values[0, 0] = (0, 255, 128), (-rng.uniform(0.1, 9), 1 + rng.uniform(0.1, 9), 0.5)
    same(student.to_uint8(values.astype(dtype)), expected.astype("uint8"))
    every = rng.permutation(256).astype("uint8")
    same(student.to_uint8((every / 255).astype(dtype)), every)


@pytest.mark.problem("image_tensors", points=3)
@pytest.mark.hint("Three weights, one sum, rounded once; nothing of it in uint8.")
@pytest.mark.parametrize("shape", [(6, 9, 3), (2, 4, 5, 3)])
def test_to_grey_of_bytes(student, rng, shape):
    """to_grey gives the rounded luma of uint8 images, and keeps a channel axis."""
    image = pixels(rng, *shape)
    image[..., 0, :] = 255
    image[..., 2] ^= (image @ LUMA % 1000 == 500).astype("uint8")
    expected = (image.astype("int64") @ LUMA + 500) // 1000
    same(student.to_grey(image), expected[..., None].astype("uint8"))


@pytest.mark.problem("image_tensors", points=2)
@pytest.mark.hint("Floats stay floats: what is rounded, and what is not?")
def test_to_grey_of_floats(student, rng):
    """to_grey gives the exact luma of float images."""
    image = rng.uniform(0, 1, (2, 5, 4, 3)).astype("float32")
    red, green, blue = np.moveaxis(image.astype("float64"), -1, 0)
    close(student.to_grey(image), (0.299 * red + 0.587 * green + 0.114 * blue)[..., None])


@pytest.mark.problem("image_tensors", points=1)
@pytest.mark.hint("The last axis grows from 1 to 3, and the dtype stays.")
def test_to_rgb(student, rng):
    """to_rgb repeats the grey value in three channels."""
    for grey in (pixels(rng, 5, 4, 1), rng.uniform(0, 1, (2, 3, 4, 1)).astype("float32")):
        same(student.to_rgb(grey), np.stack([grey[..., 0]] * 3, axis=-1))


@pytest.mark.problem("image_tensors", points=1)
@pytest.mark.hint("Which pixel is at [n, c, y, x] of the result?")
def test_channels_first(student, rng):
    """channels_first moves the channels and leaves every pixel what it was."""
    for images in (pixels(rng, 2, 4, 5, 3), rng.normal(size=(3, 4, 4, 4)).astype("float32")):
        expected = np.empty_like(images, shape=(*images.shape[:1], *images.shape[3:], *images.shape[1:3]))
        for n, y, x, c in np.ndindex(images.shape):
            expected[n, c, y, x] = images[n, y, x, c]
        same(student.channels_first(images), expected)


# 2. Counting colours


def few_colours(rng, channels, colours):
    """That many colours of a few values: the second is the first backwards, the next differ from it in one channel."""
    values = np.sort(rng.choice(256, 256 if channels == 1 else 4, replace=False))
    values[-1] = max(values[-1], 200)
    every = rng.permutation(np.array(list(itertools.product(values, repeat=channels)), "uint8"))
    first = rng.permutation(values)[:channels]
    changed = (every != first).sum(axis=1)
    backwards = (every == first[::-1]).all(axis=1)
    rank = np.select([changed == 0, backwards, changed == 1], [0, 1, 2], 3)
    return every[np.argsort(rank, kind="stable")[:colours]]


def count_by_loop(image):
    return collections.Counter(tuple(map(int, pixel)) for row in image for pixel in row)


@pytest.mark.problem("colours", points=3)
@pytest.mark.hint("Two pixels have one colour when all their channels agree, in their order.")
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_count_colours(student, rng, channels):
    """count_colours counts whole pixels, of one to four channels."""
    colours = few_colours(rng, channels, int(rng.integers(17, 24)))
    picks = rng.permutation(np.concatenate([np.arange(len(colours)), rng.integers(0, len(colours), 77)]))
    image = colours[picks[: len(picks) // 7 * 7]].reshape(7, -1, channels)
    assert whole(student.count_colours(image)) == len(count_by_loop(image))


@pytest.mark.problem("colours", points=2)
@pytest.mark.hint("Can two different colours look the same to your code?")
def test_count_colours_of_a_photograph(student, rng):
    """count_colours tells the many colours of a photograph apart, and 0 in one channel from 255 in the next."""
    image = photograph(rng, 50, 70)
    red, blue = (int(value) for value in rng.integers(1, 254, 2))
    image[0, :4] = (red, 255, blue), (red + 1, 0, blue), (red, blue, 255), (red, blue + 1, 0)
    assert whole(student.count_colours(image)) == len(count_by_loop(image))


def expected_palette(image, size):
    counts = count_by_loop(image)
    order = sorted(counts, key=lambda colour: (-counts[colour], colour))[:size]
    return np.array(order, "uint8"), [counts[colour] for colour in order]


def assert_palette(found, image, size):
    assert isinstance(found, (tuple, list)) and len(found) == 2, "expected a pair (colours, counts)"
    colours, counts = expected_palette(image, size)
    same(found[0], colours)
    assert rows_of(found[1]) == counts


@pytest.mark.problem("colours", points=2)
@pytest.mark.hint("What is the order of colours that are equally frequent?")
@pytest.mark.parametrize("channels", [3, 4])
def test_palette(student, rng, channels):
    """palette lists the most frequent colours first, and equally frequent ones in the order of their channels."""
    colours = few_colours(rng, channels, 12)
    repeats = rng.permutation([9, 8, 5, 5, 5, 5, 5, 5, 5, 2, 1, 5])
    image = rng.permutation(np.repeat(colours, repeats, axis=0)).reshape(5, 12, channels)
    size = int(rng.integers(5, 9))
    assert_palette(student.palette(image, size), image, size)


@pytest.mark.problem("colours", points=1)
@pytest.mark.hint("What if there are fewer colours than were asked for?")
def test_palette_of_few_colours(student, rng):
    """palette gives all colours of an image that has fewer than were asked for."""
    colours = few_colours(rng, 1, 4)
    image = rng.permutation(np.repeat(colours, [7, 1, 4, 6], axis=0)).reshape(3, 6, 1)
    assert_palette(student.palette(image, 9), image, 9)


# 3. Alpha blending


def blended(front, back, sixty_fourths):
    """Rounded half up, in whole numbers; alpha in 64ths, a number or of shape (H, W)."""
    share = np.broadcast_to(sixty_fourths, front.shape[:2]).astype("int64")[..., None]
    total = share * front.astype("int64") + (64 - share) * back.astype("int64")
    return ((2 * total + 64) // 128).astype("uint8")


@pytest.mark.problem("alpha_blending", points=3)
@pytest.mark.hint("Which dtype do you compute in, and which way does 150.5 go?")
def test_blend_with_one_alpha(student, rng):
    """blend mixes uint8 images with one alpha and rounds half up."""
    front, back = pixels(rng, 5, 8, 3), pixels(rng, 5, 8, 3)
    for share in (32, 64, 0, *map(int, rng.integers(1, 64, 3))):
        same(student.blend(front, back, share / 64), blended(front, back, share))


@pytest.mark.problem("alpha_blending", points=3)
@pytest.mark.hint("Which axis of the image is missing in alpha?")
@pytest.mark.parametrize("shape", [(4, 6, 3), (3, 3, 3), (5, 5, 1)])
def test_blend_with_an_alpha_per_pixel(student, rng, shape):
    """blend takes an alpha for each pixel, and uses it for all channels of that pixel."""
    front, back = pixels(rng, *shape), pixels(rng, *shape)
    share = rng.permutation(np.arange(shape[0] * shape[1])).reshape(shape[:2]) * 2
    same(student.blend(front, back, share / 64), blended(front, back, share))


@pytest.mark.problem("alpha_blending", points=1)
@pytest.mark.hint("The result has the dtype of the images; what is rounded, and what is not?")
def test_blend_floats(student, rng):
    """blend mixes float32 images without rounding."""
    front, back = rng.uniform(0, 1, (2, 5, 4, 3)).astype("float32")
    share = rng.integers(0, 65, (5, 4)) / 64
    close(student.blend(front, back, share), share[..., None] * front + (1 - share[..., None]) * back)
    close(student.blend(front, back, 0.25), 0.25 * front.astype("float64") + 0.75 * back)


@pytest.mark.problem("alpha_blending", points=1)
@pytest.mark.hint("Shapes that broadcast are not equal.")
def test_blend_refuses_unequal_images(student, rng):
    """blend refuses images of different shapes or dtypes, and no others."""
    image = pixels(rng, 4, 6, 3)
    for other in (image[..., :1], image[:1], image.astype("float32")):
        with pytest.raises(ValueError):
            student.blend(image, other, 0.5)
    other = pixels(rng, 4, 6, 3)
    same(student.blend(image, other, 0.5), blended(image, other, 32))


@pytest.mark.problem("alpha_blending", points=1)
@pytest.mark.hint("Which comparisons hold for NaN?")
def test_blend_refuses_wrong_alphas(student, rng):
    """blend refuses alphas outside 0 to 1, NaN, and arrays of another shape than (H, W)."""
    front, back = pixels(rng, 4, 6, 3), pixels(rng, 4, 6, 3)
    share = rng.integers(0, 65, (4, 6))
    alpha = share / 64
    wrong = [1.01, -0.01, float("nan"), alpha.T, alpha[..., None], alpha[:1], alpha[0]]
    for value in (1.5, -0.5, np.nan):
        spoilt = alpha.copy()
        spoilt[rng.integers(4), rng.integers(6)] = value
        wrong.append(spoilt)
    for bad in wrong:
        with pytest.raises(ValueError):
            student.blend(front, back, bad)
    same(student.blend(front, back, alpha), blended(front, back, share))


def composed(front, back):
    """Porter and Duff's over, by way of premultiplied colours, pixel by pixel in float64."""
    result = np.zeros(front.shape)
    for index in np.ndindex(front.shape[:2]):
        (*colour, alpha), (*under, below) = front[index].astype("float64"), back[index].astype("float64")
        total = alpha + below - alpha * below
        if total > 0:
            mixed = [c * alpha + u * below * (1 - alpha) for c, u in zip(colour, under, strict=True)]
            result[index] = [*(value / total for value in mixed), total]
    return result


@pytest.mark.problem("alpha_blending", points=2)
@pytest.mark.hint("How much of the back does the front let through, and by what is straight colour divided?")
def test_over(student, rng):
    """over composes straight-alpha images."""
    front, back = rng.uniform(0.05, 1, (2, 6, 5, 4)).astype("float32")
    front[0, ..., 3], back[1, ..., 3] = 1, 1
    front[2, ..., 3], back[3, ..., 3] = 0, 0
    close(student.over(front, back), composed(front, back))


@pytest.mark.problem("alpha_blending", points=1)
@pytest.mark.hint("What is 0/0, and what should be there instead?")
def test_over_where_nothing_is(student, rng):
    """over gives zeros where both images are transparent."""
    front, back = rng.uniform(0.1, 1, (2, 5, 6, 4)).astype("float32")
    empty = rng.permutation(30).reshape(5, 6) < 9
    front[empty, 3] = back[empty, 3] = 0
    close(student.over(front, back), composed(front, back))


# 4. Pixel work without loops


def count_steps(function, first, second):
    """Call a function twice; the second result, its steps in Python, and whether all of them could be counted.

    A step is a line of Python that runs, or a value that an array of the arguments gives out as a Python number.
    """
    steps, watching, undisturbed = 0, False, True

    def count(frame, event, argument):
        nonlocal steps
        steps += 1
        return count

    def watch(event, arguments):
        nonlocal undisturbed
        if watching and event in ("sys.settrace", "_thread.start_new_thread"):
            undisturbed = False

    class Counting(np.ndarray):
        def __getitem__(self, place):
            return np.ndarray.__getitem__(self, place)

        def tolist(self):
            nonlocal steps
            steps += self.size
            return np.ndarray.tolist(self)

    function(*first)
    second = [value.view(Counting) if isinstance(value, np.ndarray) else value for value in second]
    sys.addaudithook(watch)
    before = sys.gettrace()
    threading.settrace(count)
    sys.settrace(count)
    watching = True
    try:
        result = function(*second)
    finally:
        watching = False
        sys.settrace(before)
        threading.settrace(None)
    return result, steps, undisturbed


def assert_without_loop(student, rng, name, case):
    """Few steps in Python for two photographs on top of each other, and the right result but for the last bit."""
    calls = []
    for _ in range(2):
        image = np.concatenate([photograph(rng), photograph(rng)])
        others, expected = case(image, rng)
        calls.append((image, *others))
    found, steps, undisturbed = student.probe(count_steps, getattr(student, name), *calls)
    found = np.asarray(found)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.astype("float64"), expected.astype("float64"), rtol=0, atol=1)
    assert undisturbed is True, "the count was disturbed: no tracing and no threads during the call"
    assert whole(steps) <= STEPS, f"more than {STEPS} steps in Python for one picture"


def grey_case(image, rng):
    return (), (image.astype("int64") @ LUMA)[..., None] / 1000


def colours_case(image, rng):
    """Known pixels, so that the expected number needs no other way of counting."""
    image[:] = pixels(rng, 3)
    image[..., 0] = rng.permutation(426)[:, None] // 2
    image[..., 2] = rng.permutation(320) // 2
    return (), np.array(213 * 160)


def blend_case(image, rng):
    share = rng.integers(0, 65, image.shape[:2])
    return (255 - image, share / 64), blended(image, 255 - image, share)


def replace_case(image, rng):
    """Half of the pixels have the colour."""
    old, new = [13, 77, 191], pixels(rng, 3).tolist()
    hit = rng.integers(0, 2, image.shape[:2]) == 1
    image[..., 0] |= 64
    image[hit] = old
    expected = image.copy()
    expected[hit] = new
    return (old, new), expected


def table_case(image, rng):
    """The table of a formula, so that the expected values need no table."""
    factor, more = (int(number) for number in rng.integers(100, 200, 2))
    return ((np.arange(256) * factor + more) % 251,), (image.astype("int64") * factor + more) % 251


def shrink_case(image, rng):
    total = sum(image[y::2, x::2].astype("int64") for y in (0, 1) for x in (0, 1))
    return (2,), total / 4


NO_LOOP = pytest.mark.hint(
    "Something in Python runs once for each pixel. Which array operation does it for all of them?"
)


@pytest.mark.problem("fast_pixels", points=3)
@NO_LOOP
@pytest.mark.parametrize(
    ("name", "case"), [("to_grey", grey_case), ("count_colours", colours_case), ("blend", blend_case)]
)
def test_no_loop_over_pixels(student, rng, name, case):
    """to_grey, count_colours and blend run few lines of Python for a large picture."""
    assert_without_loop(student, rng, name, case)


@pytest.mark.problem("fast_pixels", points=1)
@NO_LOOP
def test_no_loop_in_replace_colour(student, rng):
    """replace_colour runs few lines of Python for a large picture."""
    assert_without_loop(student, rng, "replace_colour", replace_case)


@pytest.mark.problem("fast_pixels", points=2)
@pytest.mark.hint("A pixel with one or two channels in common is another colour. Is the argument as it was?")
@pytest.mark.needs("test_no_loop_in_replace_colour")
@pytest.mark.parametrize("channels", [3, 4])
def test_replace_colour(student, rng, channels):
    """replace_colour changes the pixels that agree in all channels, in a new image."""
    colours = few_colours(rng, channels, 40)
    image = colours[rng.integers(0, 40, (9, 13))]
    old, new = colours[0].tolist(), pixels(rng, channels).tolist()
    near = np.array(old) ^ np.eye(channels + 1, channels, dtype="uint8")
    image[rng.permutation(9)[: channels + 1], rng.integers(0, 13, channels + 1)] = near
    expected = image.copy()
    for index in np.ndindex(image.shape[:2]):
        if image[index].tolist() == old:
            expected[index] = new
    found, argument = student.probe(result_and_argument, student.replace_colour, image.copy(), old, new)
    same(found, expected)
    same(argument, image)


@pytest.mark.problem("fast_pixels", points=1)
@NO_LOOP
def test_no_loop_in_apply_table(student, rng):
    """apply_table runs few lines of Python for a large picture."""
    assert_without_loop(student, rng, "apply_table", table_case)


@pytest.mark.problem("fast_pixels", points=2)
@pytest.mark.hint("Arrays can be indexed by arrays.")
@pytest.mark.needs("test_no_loop_in_apply_table")
@pytest.mark.parametrize("shape", [(7, 5), (2, 3, 4, 1)])
def test_apply_table(student, rng, shape):
    """apply_table looks up numbers and colours, for images of any shape."""
    image = pixels(rng, *shape)
    tables = (pixels(rng, 256), rng.normal(size=256).astype("float32"), pixels(rng, 256, 3))
    for table in tables:
        expected = np.array([table[pixel] for pixel in image.ravel().tolist()])
        same(student.apply_table(image, table), expected.reshape(shape + table.shape[1:]))


def shrunk(image, factor):
    height, width, channels = image.shape
    result = np.empty((height // factor, width // factor, channels), "uint8")
    for y, x, c in np.ndindex(result.shape):
        block = image[y * factor : (y + 1) * factor, x * factor : (x + 1) * factor, c]
        result[y, x, c] = (2 * sum(block.ravel().tolist()) + factor**2) // (2 * factor**2)
    return result


@pytest.mark.problem("fast_pixels", points=1)
@NO_LOOP
def test_no_loop_in_shrink(student, rng):
    """shrink runs few lines of Python for a large picture."""
    assert_without_loop(student, rng, "shrink", shrink_case)


@pytest.mark.problem("fast_pixels", points=2)
@pytest.mark.hint("Which pixels form a block, what is left over at the edges, and when do you round?")
@pytest.mark.needs("test_no_loop_in_shrink")
@pytest.mark.parametrize(
    ("factor", "shape"), [(2, (15, 22, 3)), (3, (16, 11, 2)), (4, (9, 27, 1)), (1, (3, 5, 3))]
)
def test_shrink(student, rng, factor, shape):
    """shrink takes the rounded mean of each block, and drops what is left over."""
    image = pixels(rng, *shape)
    same(student.shrink(image, factor), shrunk(image, factor))


@pytest.mark.problem("fast_pixels", points=1)
@pytest.mark.hint("Between which sizes does a block fit into the image?")
@pytest.mark.needs("test_no_loop_in_shrink")
def test_shrink_refuses_other_factors(student, rng):
    """shrink refuses a factor below 1 or larger than the image, and no other."""
    image = pixels(rng, 4, 9, 3)
    for wrong in (image, 0), (image, -1), (image, 5), (image.swapaxes(0, 1), 5):
        with pytest.raises(ValueError):
            student.shrink(*wrong)
    same(student.shrink(image, 4), shrunk(image, 4))


# 5. Scaling features


def table(rng, rows, dtype="float64"):
    """Features of very different size, each in a random place."""
    scale = rng.permutation([0.02, 1.0, 30.0, 4000.0])
    return (rng.normal(size=(rows, 4)) * scale + rng.uniform(-3, 3, 4) * scale).astype(dtype)


def batch_of_images(rng, count):
    """uint8 images whose channels differ in mean and spread."""
    low, high = np.array([5, 60, 120]), np.array([90, 255, 200])
    return rng.integers(low, high, (count, 5, 7, 3)).astype("uint8")


def training_and_others(rng, kind):
    """Training data, and other data that agree with them in the last axis only."""
    if kind == "images":
        return batch_of_images(rng, 4), pixels(rng, 2, 3, 3)
    if kind == "whole numbers":
        return rng.integers(-50, 900, (6, 3)), rng.integers(-200, 2000, (2, 4, 3))
    return table(rng, 5, "float32"), (2 * table(rng, 3)).astype("float32")


def statistics(x):
    """Of each feature: minimum, maximum, mean, biased standard deviation; by sums in Python."""
    result = []
    for feature in range(x.shape[-1]):
        values = [float(value) for value in x[..., feature].ravel()]
        mean = math.fsum(values) / len(values)
        variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
        result.append((min(values), max(values), mean, math.sqrt(variance)))
    return np.array(result).T


def scaled(name, training, x):
    low, high, mean, sigma = statistics(training)
    x = x.astype("float64")
    return (x - low) / (high - low) if name == "MinMax" else (x - mean) / sigma


def fitted(student, name, training):
    scaler = getattr(student, name)()
    scaler.fit(training)
    return scaler


KINDS = pytest.mark.parametrize("kind", ["table", "images", "whole numbers"])
SCALERS = pytest.mark.parametrize("name", ["MinMax", "ZScore"])


@pytest.mark.problem("scaling", points=2)
@pytest.mark.hint("One minimum and maximum for each feature, over all other axes; from which data?")
@KINDS
def test_min_max(student, rng, kind):
    """MinMax scales training data to 0 to 1, and other data with the same numbers."""
    training, others = training_and_others(rng, kind)
    scaler = fitted(student, "MinMax", training)
    close(scaler.transform(training), scaled("MinMax", training, training), atol=1e-5)
    close(scaler.transform(others), scaled("MinMax", training, others), atol=1e-5)


@pytest.mark.problem("scaling", points=3)
@pytest.mark.hint(
    "One mean and deviation for each feature, over all other axes; from which data? Divided by N or N - 1?"
)
@KINDS
def test_z_score(student, rng, kind):
    """ZScore gives training data mean 0 and deviation 1, and scales other data with the same numbers."""
    training, others = training_and_others(rng, kind)
    scaler = fitted(student, "ZScore", training)
    close(scaler.transform(training), scaled("ZScore", training, training), atol=1e-5)
    close(scaler.transform(others), scaled("ZScore", training, others), rtol=1e-4, atol=1e-5)


@pytest.mark.problem("scaling", points=2)
@pytest.mark.hint("By what are constant features divided, and how do you tell that one is constant?")
@SCALERS
def test_constant_features(student, rng, name):
    """Features that are constant in the training data become 0 there, and differences elsewhere."""
    rows = int(rng.integers(60, 90))
    training = rng.normal(size=(rows, 14))
    training[:, :12] = rng.uniform(0.01, 0.99, 12)
    training[:, 3] = 0
    others = rng.normal(size=(5, 14))
    scaler = fitted(student, name, training)
    expected = np.zeros((rows, 14))
    expected[:, 12:] = scaled(name, training[:, 12:], training[:, 12:])
    close(scaler.transform(training), expected, atol=1e-5)
    expected = others - training[0]
    expected[:, 12:] = scaled(name, training[:, 12:], others[:, 12:])
    close(scaler.transform(others), expected, atol=1e-5)


@pytest.mark.problem("scaling", points=2)
@pytest.mark.hint("Which of multiplying and adding comes first when you go back?")
@SCALERS
def test_inverse(student, rng, name):
    """inverse undoes transform, for constant features too."""
    training = table(rng, 9)
    training[:, 1] = rng.uniform(1, 2)
    scaler = fitted(student, name, training)
    others = rng.normal(size=(2, 3, 4))
    low, high, mean, sigma = statistics(training)
    low[1] = mean[1] = training[0, 1]
    high[1], sigma[1] = low[1] + 1, 1
    expected = others * (high - low) + low if name == "MinMax" else others * sigma + mean
    close(scaler.inverse(others), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.problem("scaling", points=2)
@pytest.mark.hint("How many digits does float32 have, and how many do your data need?")
@SCALERS
def test_far_from_zero(student, rng, name):
    """Scaling keeps seconds apart in time stamps of this century."""
    training = 1_700_000_000 + rng.uniform(-20, 20, (31, 2))
    others = 1_700_000_000 + rng.uniform(-40, 40, (6, 2))
    scaler = fitted(student, name, training)
    close(scaler.transform(training), scaled(name, training, training), atol=1e-4)
    close(scaler.transform(others), scaled(name, training, others), atol=1e-4)


def fit_twice(make, first, second, others):
    """What a scaler that was fitted twice gives, and what has become of the data."""
    result = make().fit(first).fit(second).transform(others)
    return result, first, second, others


@pytest.mark.problem("scaling", points=1)
@pytest.mark.hint("What does fit return, what is left of an earlier fit, and are the arguments as they were?")
@SCALERS
def test_fit_again(student, rng, name):
    """fit returns the scaler and forgets what it knew; nobody's data are changed."""
    second, others = table(rng, 7), table(rng, 3)
    first = np.concatenate([second - 5000, second + 9000])
    copies = (first.copy(), second.copy(), others.copy())
    result, *arguments = student.probe(fit_twice, getattr(student, name), *copies)
    close(result, scaled(name, second, others), atol=1e-5)
    for found, given in zip(arguments, (first, second, others), strict=True):
        same(found, given)


# 6. Labels and one-hot vectors


@pytest.mark.problem("one_hot", points=3)
@pytest.mark.hint("A new last axis as long as the number of classes, whichever labels occur.")
@pytest.mark.parametrize(("shape", "dtype"), [((9,), "int64"), ((3, 4), "uint8"), ((), "int32")])
def test_one_hot(student, rng, shape, dtype):
    """one_hot adds a last axis with a single 1, for labels of any shape."""
    labels = np.asarray(rng.integers(0, 5, shape), dtype)
    expected = np.array([[float(label == k) for k in range(7)] for label in labels.ravel()])
    close(student.one_hot(labels, 7), expected.reshape(*shape, 7), rtol=0, atol=0)


@pytest.mark.problem("one_hot", points=1)
@pytest.mark.hint("Which labels are there when there are K classes?")
def test_one_hot_refuses_other_labels(student, rng):
    """one_hot refuses labels below 0 and from the number of classes on, and no others."""
    labels = rng.permutation(6)
    for wrong in (-1, 6, 250):
        bad = labels.copy()
        bad[rng.integers(6)] = wrong
        with pytest.raises(ValueError):
            student.one_hot(bad, 6)
    close(student.one_hot(labels, 6), (labels[:, None] == np.arange(6)) * 1.0, rtol=0, atol=0)


@pytest.mark.problem("one_hot", points=2)
@pytest.mark.hint("The number is the place in the list of classes, as that list stands.")
def test_label_ids(student, rng):
    """label_ids numbers names by the given list of classes, and refuses unknown ones."""
    words = ["cat", "cats", "Cat", "dog", "", "catfish", "zebra", "ox"]
    classes = [words[place] for place in rng.permutation(8)]
    places = rng.permutation([*range(8), *range(3)]).tolist()
    names = [classes[place] for place in places]
    assert rows_of(student.label_ids(names, classes)) == places
    names[int(rng.integers(len(names)))] = str(rng.choice(["catf", "zebras", "aardvark", "DOG"]))
    with pytest.raises(ValueError):
        student.label_ids(names, classes)


# 7. Training, validation and test


def assert_parted(parts, count):
    parts = [rows_of(part) for part in parts]
    assert sorted(row for part in parts for row in part) == list(range(count))
    return parts


@pytest.mark.problem("splits", points=2)
@pytest.mark.hint("Is every row in exactly one part, and is each size rounded, not cut?")
@pytest.mark.parametrize("up", [(False, True), (True, False)], ids=["down and up", "up and down"])
def test_split(student, rng, up):
    """split puts each row in one part, and the parts have the sizes of the README."""
    count = int(rng.integers(41, 99))
    held, tested = (int(size) for size in rng.choice(np.arange(count // 8, count // 4), 2, replace=False))
    off = rng.uniform(0.15, 0.4, 2) * np.where(up, -1, 1)
    shares = ((np.array([held, tested]) + off) / count).tolist()
    parts = student.split(count, *shares, int(rng.integers(1000)))
    assert len(parts) == 3
    sizes = [len(part) for part in assert_parted(parts, count)]
    assert sizes == [count - held - tested, held, tested]


def rows_and_draws(function, arguments, seed):
    """What a function returns, and what the global generators, set before, draw behind it."""
    np.random.seed(seed)
    random.seed(seed)
    result = function(*arguments)
    return result, np.random.random_sample(3), random.random()  # noqa: S311


@pytest.mark.problem("splits", points=2)
@pytest.mark.hint("Where do your random numbers come from, and who else uses that generator?")
def test_split_is_decided_by_its_seed(student, rng):
    """Equal seeds give equal parts, different ones different parts, and NumPy's global generator is left alone."""
    count, other = (int(seed) for seed in rng.choice(10**6, 2, replace=False))
    seed, draws = 17 + count, 19 + other
    arguments = (80, 0.2, 0.3, seed)
    first, drawn, plain = student.probe(rows_and_draws, student.split, arguments, draws)
    np.testing.assert_array_equal(drawn, np.random.RandomState(draws).random_sample(3))
    assert plain == random.Random(draws).random()  # noqa: S311
    different = assert_parted(student.split(80, 0.2, 0.3, seed + 1), 80)
    again = assert_parted(student.split(*arguments), 80)
    first = assert_parted(first, 80)
    assert again == first
    assert all(sorted(one) != sorted(two) for one, two in zip(first, different, strict=True))


def assert_shuffled(found, count):
    """Each row was in each part, and neighbours were together in test neither always nor never.

    Of 24 rows 6 are in test. A row misses a part in all of 80 shuffles with probability 0.75^80 < 2e-10. The pairs of
    neighbours in test are 1.25 a shuffle on average, with a variance of 0.78, and 5 at most: their sum lies outside 20
    to 180 with less than 2e-8 (Bernstein).
    """
    together = 0
    seen = [set(), set(), set()]
    for parts in found:
        for rows, part in zip(seen, parts, strict=True):
            rows.update(part)
        tested = set(parts[2])
        together += sum(row + 1 in tested for row in tested)
    assert seen == [set(range(count))] * 3
    assert 20 < together < 180


def many_parts(function, first, seeds):
    """The parts for each of some seeds."""
    return [[np.asarray(part) for part in function(first, 0.25, 0.25, seed)] for seed in seeds]


def batched(seeds):
    """Twenty seeds at a time, so that no request takes long on a slow machine."""
    return [seeds[start : start + 20] for start in range(0, len(seeds), 20)]


def parts_by_seed(student, function, first, seeds):
    found = []
    for batch in batched(seeds):
        found += student.probe(many_parts, function, first, batch)
    assert len(found) == len(seeds)
    return [assert_parted(parts, 24) for parts in found]


@pytest.mark.problem("splits", points=2)
@pytest.mark.hint("Data may come sorted: can any row get into any part, whoever its neighbours are?")
def test_split_is_random(student, rng):
    """Over many seeds every row gets into every part, and neighbours are parted."""
    start = int(rng.integers(10**6))
    assert_shuffled(parts_by_seed(student, student.split, 24, list(range(start, start + SEEDS))), 24)


@pytest.mark.problem("splits", points=1)
@pytest.mark.hint("Shares of nothing, of everything, or too small for a single row are mistakes.")
def test_split_refuses_other_shares(student, rng):
    """split refuses shares that leave a part empty, or that are no shares; and no others."""
    seed = int(rng.integers(1000))
    for validation, test in (
        (0, 0.2),
        (0.2, 0),
        (-0.2, 0.5),
        (0.5, 0.5),
        (0.7, 0.6),
        (0.01, 0.2),
        (0.2, 0.02),
    ):
        with pytest.raises(ValueError):
            student.split(20, validation, test, seed)
    with pytest.raises(ValueError):
        student.split(10, 0.62, 0.36, seed)
    parts = assert_parted(student.split(20, 0.06, 0.89, seed), 20)
    assert [len(part) for part in parts] == [1, 1, 18]


def draw_labels(rng, counts):
    """Labels with so many rows of each class, in random order; values are any ints."""
    values = rng.choice(np.arange(-9, 60), len(counts), replace=False)
    return rng.permutation(np.repeat(values, counts)), dict(zip(values.tolist(), counts, strict=True))


@pytest.mark.problem("splits", points=3)
@pytest.mark.hint("Apply the rule to each class by itself.")
@pytest.mark.parametrize("draw", range(3))
def test_stratified_split(student, rng, draw):
    """stratified_split parts each class by the rule of split."""
    labels, counts = draw_labels(rng, rng.choice([9, 14, 29, 47, 68, 86], 4, replace=False).tolist())
    while True:
        shares = rng.uniform(0.12, 0.4, 2)
        exact = [[share * count for share in shares] for count in counts.values()]
        if all(abs(size % 1 - 0.5) > 0.03 for sizes in exact for size in sizes):
            break
    parts = student.stratified_split(labels, *map(float, shares), int(rng.integers(1000)))
    assert len(parts) == 3
    parts = assert_parted(parts, len(labels))
    for (value, count), (held, tested) in zip(counts.items(), exact, strict=True):
        sizes = [int((labels[part] == value).sum()) for part in parts]
        assert sizes == [count - round(held) - round(tested), round(held), round(tested)]


@pytest.mark.problem("splits", points=1)
@pytest.mark.hint("Within a class, too, every row may get into every part; and one seed is one split.")
def test_stratified_split_is_random(student, rng):
    """Over many seeds every row of a class gets into every part, and equal seeds give equal parts."""
    start = int(rng.integers(10**6))
    labels = np.zeros(24, "int64") + int(rng.integers(-3, 9))
    seeds = [*range(start, start + SEEDS), start]
    found = parts_by_seed(student, student.stratified_split, labels, seeds)
    assert found[0] == found.pop()
    assert_shuffled(found, 24)


@pytest.mark.problem("splits", points=1)
@pytest.mark.hint("A class that is missing from a part makes the split useless for it.")
def test_stratified_split_refuses_small_classes(student, rng):
    """stratified_split refuses to leave a class out of a part."""
    labels, _ = draw_labels(rng, [40, 30])
    for wrong in ((0.2, 0), (0, 0.2), (0.6, 0.4)):
        with pytest.raises(ValueError):
            student.stratified_split(labels, *wrong, 1)
    small, _ = draw_labels(rng, [40, 2, 30])
    for wrong in ((0.2, 0.3), (0.3, 0.2), (0.3, 0.6)):
        with pytest.raises(ValueError):
            student.stratified_split(small, *wrong, 1)
    parts = assert_parted(student.stratified_split(labels, 0.2, 0.3, 1), 70)
    assert [len(part) for part in parts] == [35, 14, 21]


# 8. Cross-validation


def assert_folds(found, count, folds):
    """The validation parts, each of which complements its training part."""
    assert len(found) == folds
    parts = [[rows_of(part) for part in pair] for pair in found]
    assert all(len(pair) == 2 for pair in parts)
    for training, validation in parts:
        assert sorted(training + validation) == list(range(count))
    validation = [pair[1] for pair in parts]
    assert sorted(row for part in validation for row in part) == list(range(count))
    sizes = [len(part) for part in validation]
    assert max(sizes) - min(sizes) <= 1
    return validation


@pytest.mark.problem("cross_validation", points=3)
@pytest.mark.hint("Each row validates once and trains in all other folds. How far apart are the sizes?")
@pytest.mark.parametrize(("count", "folds"), [(23, 4), (12, 5), (7, 7), (18, 2)])
def test_k_fold(student, rng, count, folds):
    """k_fold gives every row to one validation part, and parts of nearly equal size."""
    assert_folds(student.k_fold(count, folds, int(rng.integers(1000))), count, folds)


def many_folds(function, first, seeds, draws):
    """The validation parts for each of some seeds, and what NumPy's global generator, set before, draws behind."""
    np.random.seed(draws)
    found = [[np.asarray(validation) for _, validation in function(first, 3, seed)] for seed in seeds]
    return found, np.random.random_sample(3)


@pytest.mark.problem("cross_validation", points=1)
@pytest.mark.hint("Shuffle with a generator of your own, made from the seed.")
@pytest.mark.parametrize("name", ["k_fold", "stratified_k_fold"])
def test_folds_are_shuffled(student, rng, name):
    """Over many seeds two neighbours share a fold neither always nor never; one seed gives one result.

    They do with probability 3/11, so in 21.8 of 80 shuffles on average: outside 3 to 59 with less than 1e-8.
    """
    start, draws = (int(seed) for seed in rng.integers(10**6, size=2))
    first = 12 if name == "k_fold" else np.full(12, int(rng.integers(-3, 9)))
    seeds = [*range(start, start + SEEDS), start]
    found = []
    for batch in batched(seeds):
        parts, drawn = student.probe(many_folds, getattr(student, name), first, batch, draws)
        np.testing.assert_array_equal(drawn, np.random.RandomState(draws).random_sample(3))
        found += parts
    assert len(found) == len(seeds)
    found = [assert_parted(parts, 12) for parts in found]
    assert found[0] == found.pop()
    row = int(rng.integers(11))
    together = sum(row in part and row + 1 in part for parts in found for part in parts)
    assert 2 < together < 60


@pytest.mark.problem("cross_validation", points=3)
@pytest.mark.hint("Count the rows of each class in each fold, and then all rows in each fold.")
@pytest.mark.parametrize("folds", [3, 4, 5])
def test_stratified_k_fold(student, rng, folds):
    """stratified_k_fold spreads every class evenly, and the folds are of nearly equal size."""
    counts = [folds * int(rng.integers(1, 6)) + 1 for _ in range(folds)]
    labels, counts = draw_labels(rng, [*counts, folds + folds // 2])
    found = student.stratified_k_fold(labels, folds, int(rng.integers(1000)))
    validation = assert_folds(found, len(labels), folds)
    for value in counts:
        of_class = [int((labels[part] == value).sum()) for part in validation]
        assert max(of_class) - min(of_class) <= 1


@pytest.mark.problem("cross_validation", points=1)
@pytest.mark.hint("How many folds can be filled?")
def test_folds_that_cannot_be_filled(student, rng):
    """k_fold and stratified_k_fold refuse too few folds and too many, and no others."""
    seed = int(rng.integers(1000))
    for count, folds in ((10, 1), (10, 0), (10, 11)):
        with pytest.raises(ValueError):
            student.k_fold(count, folds, seed)
    assert_folds(student.k_fold(10, 10, seed), 10, 10)
    labels, _ = draw_labels(rng, [4, 20, 9])
    for folds in (1, 0, 5):
        with pytest.raises(ValueError):
            student.stratified_k_fold(labels, folds, seed)
    assert_folds(student.stratified_k_fold(labels, 4, seed), 33, 4)


def scaler_class():
    """A scaler of the test's own: it remembers whatever it was ever fitted to."""

    class Centre:
        def __init__(self):
            self.seen = []

        def fit(self, x):
            self.seen.append(np.array(x))
            return self

        def transform(self, x):
            return 3 * (x - np.concatenate(self.seen).mean(axis=0))

    return Centre


def run_cross_validation(student, rng):
    """Results of a run on uneven folds, with the calls and the scores of `evaluate`."""
    x, y = rng.normal(size=(14, 3)) + 5, rng.permutation(14) * 1.5
    cuts = np.split(rng.permutation(14), [3, 9])
    folds = [(np.setdiff1d(np.arange(14), cut), cut) for cut in cuts]
    calls, scores = [], rng.uniform(0, 1, 3).tolist()

    def evaluate(*arguments):
        calls.append([np.asarray(argument) for argument in arguments])
        return scores[len(calls) - 1]

    result = student.cross_validate(x, y, folds, student.probe(scaler_class), evaluate)
    assert len(calls) == 3, "expected one call of evaluate a fold"
    assert all(len(call) == 4 for call in calls)
    return x, y, folds, calls, scores, result


@pytest.mark.problem("cross_validation", points=2)
@pytest.mark.hint(
    "One score a fold, in their order, and the mean of these; which labels belong to which rows?"
)
def test_cross_validate_scores(student, rng):
    """cross_validate returns the mean and the scores, and hands each fold's labels to evaluate."""
    _, y, folds, calls, scores, result = run_cross_validation(student, rng)
    assert isinstance(result, (tuple, list)) and len(result) == 2
    np.testing.assert_allclose(float(result[0]), sum(scores) / 3, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(result[1]), np.array(scores), rtol=1e-6)
    assert np.shape(result[1]) == (3,)
    for (training, validation), (_, y_train, _, y_validation) in zip(folds, calls, strict=True):
        np.testing.assert_array_equal(y_train, y[training], strict=True)
        np.testing.assert_array_equal(y_validation, y[validation], strict=True)


@pytest.mark.problem("cross_validation", points=2)
@pytest.mark.hint("Which rows has the scaler seen when it meets the validation rows?")
def test_cross_validate_does_not_leak(student, rng):
    """Each fold has a scaler of its own, which is fitted to that fold's training rows only."""
    x, _, folds, calls, _, _ = run_cross_validation(student, rng)
    for (training, validation), (x_train, _, x_validation, _) in zip(folds, calls, strict=True):
        centre = x[training].mean(axis=0)
        np.testing.assert_allclose(x_train, 3 * (x[training] - centre), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(x_validation, 3 * (x[validation] - centre), rtol=1e-5, atol=1e-5)


# 9. Epochs, batches, iterations, devices


def batches_by_loop(samples, batch_size, drop_remainder):
    """The sizes of the batches of an epoch, cut off one by one."""
    sizes = []
    while samples > 0:
        sizes.append(min(batch_size, samples))
        samples -= sizes[-1]
    return [size for size in sizes if size == batch_size] if drop_remainder else sizes


def sizes_to_try(rng):
    """Pairs of samples and batch size: uneven, even, a short only batch, and one beyond what floats hold."""
    batch = int(rng.integers(3, 40))
    whole_batches = int(rng.integers(2, 30))
    yield batch * whole_batches + int(rng.integers(1, batch)), batch
    yield batch * whole_batches, batch
    yield batch - 1, batch
    yield batch + 1, 1


def large(rng):
    """Batches and samples, one sample more than so many full batches, beyond 2^53 and 2^63."""
    batch, count = 2 * int(rng.integers(2, 500)) + 1, 2**70 + int(rng.integers(10**9))
    return batch, count, batch * count + 1


@pytest.mark.problem("batches", points=2)
@pytest.mark.hint("When is the last batch counted? Are very large results exact?")
def test_iterations_per_epoch(student, rng):
    """iterations_per_epoch counts batches, with the short one or without it."""
    for samples, batch in sizes_to_try(rng):
        kept, dropped = (len(batches_by_loop(samples, batch, drop)) for drop in (False, True))
        assert whole(student.iterations_per_epoch(samples, batch)) == kept
        assert whole(student.iterations_per_epoch(samples, batch, drop_remainder=True)) == dropped
    batch, count, samples = large(rng)
    assert whole(student.iterations_per_epoch(samples, batch)) == count + 1
    assert whole(student.iterations_per_epoch(samples - 2, batch, drop_remainder=True)) == count - 1
    for wrong in ((0, 5), (5, 0), (-3, 2), (5, -1)):
        with pytest.raises(ValueError):
            student.iterations_per_epoch(*wrong)


@pytest.mark.problem("batches", points=1)
@pytest.mark.hint("How many samples are left for the last batch, and what if that is none?")
def test_last_batch_size(student, rng):
    """last_batch_size is the rest, or a full batch where there is none."""
    for samples, batch in sizes_to_try(rng):
        assert whole(student.last_batch_size(samples, batch)) == batches_by_loop(samples, batch, False)[-1]
    batch, _, samples = large(rng)
    assert whole(student.last_batch_size(samples + 1, batch)) == 2
    for wrong in ((0, 5), (5, 0)):
        with pytest.raises(ValueError):
            student.last_batch_size(*wrong)


@pytest.mark.problem("batches", points=2)
@pytest.mark.hint("Does a batch reach over from one epoch into the next?")
def test_training_iterations(student, rng):
    """training_iterations counts the batches of all epochs, each epoch for itself."""
    for samples, batch in sizes_to_try(rng):
        epochs = int(rng.integers(2, 60))
        for drop in (False, True):
            expected = epochs * len(batches_by_loop(samples, batch, drop))
            assert whole(student.training_iterations(samples, batch, epochs, drop_remainder=drop)) == expected
    batch, count, samples = large(rng)
    assert whole(student.training_iterations(samples, batch, 7)) == 7 * count + 7
    for wrong in ((0, 5, 1), (5, 0, 1), (5, 2, 0)):
        with pytest.raises(ValueError):
            student.training_iterations(*wrong)


@pytest.mark.problem("batches", points=1)
@pytest.mark.hint("Only whole epochs count; how many iterations has one?")
def test_epochs_completed(student, rng):
    """epochs_completed counts the epochs that are finished."""
    batch = int(rng.integers(5, 40))
    samples = 6 * batch + int(rng.integers(1, batch))
    epochs = int(rng.integers(2, 50))
    for drop, each in ((False, 7), (True, 6)):
        for iterations in (0, each - 1, epochs * each, epochs * each + each - 1):
            found = student.epochs_completed(iterations, samples, batch, drop_remainder=drop)
            assert whole(found) == iterations // each
    _, count, _ = large(rng)
    assert whole(student.epochs_completed(7 * count - 1, samples, batch)) == count - 1
    for wrong in ((-1, samples, batch), (3, 0, batch), (3, samples, 0), (3, batch - 1, batch, True)):
        with pytest.raises(ValueError):
            student.epochs_completed(*wrong)


@pytest.mark.problem("batches", points=1)
@pytest.mark.hint("How many samples have been seen by the time the weights change?")
def test_global_batch_size(student, rng):
    """global_batch_size multiplies samples, devices and accumulation."""
    per_device, devices, accumulation = (int(size) for size in rng.integers(2, 99, 3))
    seen = per_device * devices * accumulation
    assert whole(student.global_batch_size(per_device, devices, accumulation=accumulation)) == seen
    assert whole(student.global_batch_size(per_device, devices)) == per_device * devices
    assert whole(student.global_batch_size(2**40 + 1, 2**31 + devices)) == (2**40 + 1) * (2**31 + devices)
    for wrong in ((0, 2), (2, 0), (2, 2, 0)):
        with pytest.raises(ValueError):
            student.global_batch_size(*wrong)


@pytest.mark.problem("batches", points=2)
@pytest.mark.hint("An update takes a global batch.")
def test_updates_per_epoch(student, rng):
    """updates_per_epoch counts global batches, with the short one or without it."""
    per_device, devices, accumulation = (int(size) for size in rng.permutation([2, 3, 5]) + rng.integers(2))
    batch = per_device * devices * accumulation
    for samples in (
        int(rng.integers(4, 30)) * batch,
        int(rng.integers(4, 30)) * batch + int(rng.integers(1, batch)),
    ):
        for drop in (False, True):
            found = student.updates_per_epoch(samples, per_device, devices, accumulation, drop_remainder=drop)
            assert whole(found) == len(batches_by_loop(samples, batch, drop))
        one = len(batches_by_loop(samples, per_device * devices, False))
        assert whole(student.updates_per_epoch(samples, per_device, devices)) == one
    _, count, _ = large(rng)
    assert whole(student.updates_per_epoch(batch * count + 1, per_device, devices, accumulation)) == count + 1
    for wrong in ((0, 2, 2), (9, 0, 2), (9, 2, 0), (9, 2, 2, 0)):
        with pytest.raises(ValueError):
            student.updates_per_epoch(*wrong)


@pytest.mark.problem("batches", points=1)
@pytest.mark.hint("Deal the samples that are left over to the first devices.")
def test_device_shares(student, rng):
    """device_shares deals a batch evenly, the larger shares first."""
    devices = int(rng.integers(3, 12))
    for batch in (
        devices * int(rng.integers(2, 9)) + int(rng.integers(2, devices)),
        devices - 1,
        devices * 6,
    ):
        expected = [0] * devices
        for sample in range(batch):
            expected[sample % devices] += 1
        found = student.device_shares(batch, devices)
        assert isinstance(found, (list, tuple, np.ndarray))
        assert [whole(share) for share in found] == expected
    for wrong in ((0, 2), (2, 0)):
        with pytest.raises(ValueError):
            student.device_shares(*wrong)


@pytest.mark.problem("batches", points=2)
@pytest.mark.hint("Each mean stands for so many samples. What does a device without samples add?")
@pytest.mark.parametrize("shape", [(), (3, 2)])
def test_global_mean(student, rng, shape):
    """global_mean is the mean over all samples, whatever the devices' shares."""
    sizes = [5, 1, *map(int, rng.integers(2, 9, 2))]
    samples = [rng.normal(3, 2, (size, *shape)) for size in sizes]
    means = np.stack([part.mean(axis=0) for part in samples])
    expected = np.concatenate(samples).mean(axis=0)
    found = np.asarray(student.global_mean(means, sizes))
    assert found.shape == shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    place = int(rng.integers(5))
    sizes.insert(place, 0)
    found = np.asarray(student.global_mean(np.insert(means, place, np.nan, axis=0), sizes))
    assert found.shape == shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.problem("batches", points=1)
@pytest.mark.hint("A batch k times as large, a rate k times as large.")
def test_scaled_learning_rate(student, rng):
    """scaled_learning_rate follows the linear scaling rule."""
    rate, base, batch = (
        float(rng.uniform(0.01, 0.5)),
        int(rng.integers(20, 300)),
        int(rng.integers(301, 9000)),
    )
    assert float(student.scaled_learning_rate(rate, base, batch)) == pytest.approx(
        rate * (batch / base), rel=1e-6
    )
    assert float(student.scaled_learning_rate(rate, batch, base)) == pytest.approx(
        rate * (base / batch), rel=1e-6
    )
    for wrong in ((rate, 0, 5), (rate, 5, 0)):
        with pytest.raises(ValueError):
            student.scaled_learning_rate(*wrong)
