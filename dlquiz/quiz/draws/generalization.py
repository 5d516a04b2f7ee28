"""Drawn questions on penalties, dropout, early stopping, cross-validation, search and ensembles."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.numbers import apart, signed, tidy


@drawing("l2-penalty")
def l2_penalty(rng: random.Random) -> Drawn:
    """lambda sum w^2 (Keras, L2)."""
    weights = signed(rng, *rng.sample(range(1, 8), 3))
    strength = rng.choice((0.01, 0.02, 0.05, 0.1))
    squares = sum(weight**2 for weight in weights)
    answer = tidy(strength * squares)
    return Drawn(
        values={
            **{f"w{place}": weight for place, weight in enumerate(weights)},
            "strength": strength,
            "squares": squares,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (strength * sum(map(abs, weights)), "That is the L1 penalty: here the weights are squared."),
            (strength * squares / 2, "There is no factor ½ in the penalty as it is given."),
            (strength * math.sqrt(squares), "The squares are summed without a root."),
            (strength * squares / 3, "The squares are summed, not averaged."),
            (squares, "The strength λ is missing."),
            (strength * sum(weights) ** 2, "Square each weight first, then add."),
            (strength**2 * squares, "Only the weights are squared, not λ."),
        ),
    )


@drawing("l2-step")
def l2_step(rng: random.Random) -> Drawn:
    """w - eta (g + 2 lambda w) (Goodfellow et al. 2016, section 7.1.1, whose penalty has a factor 1/2)."""
    rate, strength = rng.choice((0.1, 0.2, 0.5)), rng.choice((0.05, 0.1, 0.2, 0.3))
    w, g = signed(rng, *rng.sample(range(1, 7), 2))
    pull = tidy(2 * strength * w)
    answer = tidy(w - rate * (g + pull))
    return Drawn(
        values={"rate": rate, "strength": strength, "w": w, "g": g, "pull": pull, "whole": tidy(g + pull)},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (w - rate * g, "The derivative of the penalty is missing."),
            (
                w - rate * (g + strength * w),
                "The derivative of λw² is 2λw; without the 2 it belongs to ½λw².",
            ),
            (w - rate * (g + strength * w**2), "The step takes the penalty's derivative, not the penalty."),
            (w - rate * (g - pull), "The penalty pulls the weight towards 0, not away from it."),
            (w - rate * (g + strength * (1 if w > 0 else -1)), "That is the L1 penalty's constant pull."),
            (w - rate * g - pull, "The learning rate scales the penalty's gradient as well."),
            (w + rate * (g + pull), "That step goes uphill: the gradient is subtracted."),
        ),
    )


@drawing("l1-step")
def l1_step(rng: random.Random) -> Drawn:
    """w - eta (g + lambda sign(w)) (Goodfellow et al. 2016, section 7.1.2)."""
    rate, strength = rng.choice((0.1, 0.2, 0.5)), rng.choice((0.2, 0.3, 0.4, 0.6))
    w, g = signed(rng, *rng.sample(range(2, 7), 2))
    sign = 1 if w > 0 else -1
    pull = sign * strength
    answer = tidy(w - rate * (g + pull))
    return Drawn(
        values={"rate": rate, "strength": strength, "w": w, "g": g, "pull": pull, "whole": tidy(g + pull)},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (w - rate * g, "The derivative of the penalty is missing."),
            (w - rate * (g - pull), "The pull is towards 0: it has the sign of the weight in the gradient."),
            (w - rate * (g + 2 * strength * w), "That is the L2 penalty, whose pull grows with the weight."),
            (w - rate * (g + strength * abs(w)), "The step takes the penalty's derivative, not the penalty."),
            (w - rate * g - pull, "The learning rate scales the penalty's gradient as well."),
            (w + rate * (g + pull), "That step goes uphill: the gradient is subtracted."),
        ),
    )


@drawing("inverted-dropout-neuron")
def inverted_dropout_neuron(rng: random.Random) -> Drawn:
    """sum of w x m / (1 - rate) (Srivastava et al. 2014, section 10; Keras, Dropout)."""
    rate = rng.choice((0.2, 0.5, 0.6, 0.75))
    xs = rng.sample(range(1, 9), 4)
    ws = signed(rng, *rng.sample(range(1, 6), 4))
    mask = [1, 1, 0, 0]
    rng.shuffle(mask)
    products = [w * x for w, x in zip(ws, xs, strict=True)]
    kept = sum(product for product, m in zip(products, mask, strict=True) if m)
    if not kept:
        place = mask.index(1)
        xs[place] += 1
        products[place] += ws[place]
        kept += ws[place]
    keep = tidy(1 - rate)
    answer = tidy(kept / keep)
    return Drawn(
        values={
            **{f"x{place}": x for place, x in enumerate(xs)},
            **{f"w{place}": w for place, w in enumerate(ws)},
            **{f"m{place}": m for place, m in enumerate(mask)},
            "rate": rate,
            "keep": keep,
            "kept": kept,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (kept, "What is kept is scaled up by 1/(1 − rate), so that the expected value stays."),
            (
                kept * keep,
                "Scaling by the keep probability is for inference in the paper's variant; here it is divided.",
            ),
            (kept / rate, "Divide by the probability of being kept, not by that of being dropped."),
            (sum(products), "That is without dropout, as at inference."),
            ((sum(products) - kept) / keep, "A mask of 1 keeps an input, and 0 drops it."),
            (sum(products) / keep, "The dropped inputs contribute 0."),
        ),
    )


@drawing("dropout-expected-zeros")
def dropout_expected_zeros(rng: random.Random) -> Drawn:
    """n rate (Keras, Dropout)."""
    units, rate = rng.choice((120, 200, 240, 300, 400, 500, 600)), rng.choice((0.1, 0.2, 0.3, 0.4))
    answer = tidy(units * rate)
    return Drawn(
        values={"units": units, "rate": rate, "percent": round(100 * rate), "kept": tidy(units - answer)},
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (units - answer, "In Keras `rate` is the share that is dropped, not the share that is kept."),
            (
                units * rate / (1 - rate),
                "The factor 1/(1 − rate) scales the values that are kept; it drops no more of them.",
            ),
            (units, "Only a share of the units is dropped."),
            (0, "During training units are dropped; at inference none are."),
        ),
    )


def _losses(rng: random.Random) -> tuple[list[int], int, int]:
    """Validation losses in hundredths, all different, a patience, and the best epoch from 1 before the stop.

    They fall, rise for less than the patience, fall to the best one, rise for the patience, and then, too late,
    fall below the best.
    """
    patience = rng.choice((2, 3))
    falling = rng.randint(1, 3)
    best = rng.randint(30, 45)
    top = best + 8 * (falling + 1)
    losses = [top - 8 * step for step in range(falling)]
    # a bump that patience outlasts
    bump = losses[-1]
    losses += [bump + rng.randint(1, 3) + 4 * step for step in range(patience - 1)]
    losses.append(best)
    epoch = len(losses)
    losses += [best + rng.randint(1, 3) + 4 * step for step in range(patience)]
    losses += [best - 3, best - 6]
    return losses, patience, epoch


@drawing("early-stopping-last-epoch")
def early_stopping_last_epoch(rng: random.Random) -> Drawn:
    """The best epoch plus the patience (Keras, EarlyStopping)."""
    losses, patience, best = _losses(rng)
    answer = best + patience
    first_rise = next(place for place in range(1, len(losses)) if losses[place] > losses[place - 1]) + 1
    return Drawn(
        values={
            "losses": ", ".join(f"{loss / 100:.2f}" for loss in losses),
            "epochs": len(losses),
            "patience": patience,
            "best": best,
            "low": losses[best - 1] / 100,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (best, "That is the best epoch; training goes on until patience runs out."),
            (
                first_rise,
                "A single rise does not end it: patience allows for some epochs without improvement.",
            ),
            (first_rise - 1 + patience, "The count starts anew at every new best."),
            (answer + 1, "It stops as soon as the count reaches the patience, not after one epoch more."),
            (len(losses), "The late improvement is not seen any more: training has stopped before."),
        ),
    )


@drawing("early-stopping-restored-epoch")
def early_stopping_restored_epoch(rng: random.Random) -> Drawn:
    """The epoch of the least validation loss before the stop (Keras, EarlyStopping, restore_best_weights)."""
    losses, patience, best = _losses(rng)
    first_rise = next(place for place in range(1, len(losses)) if losses[place] > losses[place - 1]) + 1
    return Drawn(
        values={
            "losses": ", ".join(f"{loss / 100:.2f}" for loss in losses),
            "epochs": len(losses),
            "patience": patience,
            "stop": best + patience,
            "low": losses[best - 1] / 100,
        },
        answer=best,
        mistakes=apart(
            best,
            0,
            (
                best + patience,
                "There training stops; `restore_best_weights=True` goes back to the best epoch.",
            ),
            (len(losses), "That epoch is never reached: patience runs out before."),
            (first_rise - 1, "That is the first local minimum; a lower loss follows while patience lasts."),
            (best - 1, "Epochs are counted from 1 here."),
        ),
    )


@drawing("grid-search-fits")
def grid_search_fits(rng: random.Random) -> Drawn:
    """a b c k (scikit-learn, GridSearchCV)."""
    a, b, c = rng.randint(3, 6), rng.randint(2, 5), rng.randint(2, 4)
    folds = rng.choice((3, 5, 10))
    grid = a * b * c
    answer = grid * folds
    return Drawn(
        values={"a": a, "b": b, "c": c, "folds": folds, "grid": grid},
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (grid, "That is the number of combinations; each is trained once a fold."),
            ((a + b + c) * folds, "Every value is combined with every other: the numbers are multiplied."),
            (
                a + b + c,
                "Every value is combined with every other, and each combination is trained once a fold.",
            ),
            (grid * (folds - 1), "Each of the folds is left out once: that makes as many fits as folds."),
            (answer + 1, "The final fit on all data was left out of the count."),
        ),
    )


@drawing("k-fold-training-size")
def k_fold_training_size(rng: random.Random) -> Drawn:
    """(n - t)(k - 1) / k (scikit-learn, KFold)."""
    folds, size = rng.choice((3, 4, 5, 8, 10)), rng.choice((20, 30, 40, 50, 60))
    test = rng.choice((80, 100, 150, 250))
    rest = folds * size
    samples = rest + test
    answer = rest - size
    return Drawn(
        values={"samples": samples, "test": test, "rest": rest, "folds": folds, "size": size},
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (size, "That is one fold, which is left for validation."),
            (rest, "One of the folds is left out for validation in every fit."),
            (samples * (folds - 1) / folds, "The test set is set aside before and is no part of the folds."),
            (samples, "The test set is set aside, and one fold of the rest is for validation."),
            (folds * answer, "That adds up all fits; each of them sees the same number of samples."),
        ),
    )


@drawing("random-search-hit")
def random_search_hit(rng: random.Random) -> Drawn:
    """1 - (1 - q)^n (Bergstra and Bengio 2012)."""
    trials, share = rng.choice((5, 8, 10, 12, 15, 20, 25, 30)), rng.choice((0.02, 0.05, 0.1))
    answer = 1 - (1 - share) ** trials
    return Drawn(
        values={"trials": trials, "percent": round(100 * share), "share": share, "miss": tidy(1 - share)},
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (trials * share, "The chances of several trials may coincide, so they do not simply add up."),
            ((1 - share) ** trials, "That is the probability that every trial misses."),
            (share, "That is for one trial."),
            (share**trials, "That is the probability that every trial hits."),
            (
                trials * share * (1 - share) ** (trials - 1),
                "That is exactly one hit; more than one will do as well.",
            ),
        ),
    )


@drawing("squared-bias-of-predictions")
def squared_bias_of_predictions(rng: random.Random) -> Drawn:
    """(mean prediction - truth)^2 (Bishop 2006, section 3.2)."""
    mean = rng.randint(8, 20)
    a, b = rng.sample(range(1, 6), 2)
    predictions = [mean - a, mean + a, mean - b, mean + b]
    rng.shuffle(predictions)
    bias = rng.choice((-4, -3, -2, -1, 1, 2, 3, 4))
    truth = mean - bias
    variance = (a**2 + b**2) / 2
    answer = bias**2
    return Drawn(
        values={
            **{f"p{place}": prediction for place, prediction in enumerate(predictions)},
            "truth": truth,
            "mean": mean,
            "bias": bias,
            "variance": tidy(variance),
            "error": tidy(variance + answer),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0,
            (variance, "That is the variance: how far the predictions scatter around their own mean."),
            (variance + answer, "That is the mean squared error: squared bias plus variance."),
            (bias, "That is the bias; it still has to be squared."),
            (abs(bias), "That is the bias without its sign; it still has to be squared."),
            (
                (sum(abs(one - truth) for one in predictions) / 4) ** 2,
                "Average the predictions first; errors of different sign may cancel in the bias.",
            ),
        ),
    )


@drawing("ensemble-variance")
def ensemble_variance(rng: random.Random) -> Drawn:
    """rho v + (1 - rho) v / n (Hastie, Tibshirani and Friedman 2009, equation 15.1)."""
    models, variance, rho = (
        rng.choice((2, 4, 5, 10)),
        rng.choice((2, 4, 8, 10, 20)),
        rng.choice((0.1, 0.2, 0.4, 0.6)),
    )
    answer = tidy(rho * variance + (1 - rho) * variance / models)
    return Drawn(
        values={
            "models": models,
            "variance": variance,
            "rho": rho,
            "shared": tidy(rho * variance),
            "own": tidy((1 - rho) * variance / models),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.01,
            (variance / models, "That holds for uncorrelated errors only."),
            (variance, "That is for one model; the part that is not shared averages out."),
            (rho * variance, "That is the limit for infinitely many models."),
            (
                (1 - rho) * variance / models,
                "The part that all models share stays, however many are averaged.",
            ),
            (
                rho * variance / models + (1 - rho) * variance,
                "The shared part stays; the rest is divided by n.",
            ),
            (
                variance / math.sqrt(models),
                "By the root of n the standard deviation of independent errors falls.",
            ),
        ),
    )


@drawing("majority-of-three")
def majority_of_three(rng: random.Random) -> Drawn:
    """p^3 + 3 p^2 (1 - p) (Dietterich 2000)."""
    p = rng.randint(52, 95) / 100
    all_three, two = tidy(p**3), tidy(3 * p**2 * (1 - p))
    answer = p**3 + 3 * p**2 * (1 - p)
    return Drawn(
        values={"p": p, "q": tidy(1 - p), "all_three": all_three, "two": two},
        answer=answer,
        mistakes=apart(
            answer,
            0.003,
            (p, "That is one classifier; the vote may correct a single mistake."),
            (p**3, "That is all three right; two of three are enough."),
            (1 - (1 - p) ** 3, "That is at least one right; a majority needs two."),
            (p**2, "That is two given ones right; count every way in which two or three are right."),
            (p**3 + p**2 * (1 - p), "There are three ways in which exactly one of the three is wrong."),
            (3 * p**2 * (1 - p), "All three may be right as well."),
        ),
    )
