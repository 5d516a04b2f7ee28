"""Drawn questions on optimization: single steps, schedules, clipping, accumulation, the chain rule."""

from __future__ import annotations

import math
import random

from dlquiz.quiz.draws.drawn import Drawn, drawing
from dlquiz.quiz.draws.losses import WHOLE_LENGTHS
from dlquiz.quiz.draws.numbers import apart, signed, tidy

# (a, b, c, length) with a^2 + b^2 + c^2 = length^2.
WHOLE_DIAGONALS = (
    (2, 3, 6, 7),
    (1, 4, 8, 9),
    (4, 4, 7, 9),
    (2, 6, 9, 11),
    (6, 6, 7, 11),
    (3, 4, 12, 13),
    (2, 5, 14, 15),
    (2, 10, 11, 15),
)
_UPHILL = "That step goes uphill: the gradient is subtracted."


@drawing("gradient-step-parabola")
def gradient_step_parabola(rng: random.Random) -> Drawn:
    """w - eta L'(w) with L = a (w - c)^2 (Goodfellow et al. 2016, section 4.3)."""
    a, c, rate = rng.randint(2, 4), rng.randint(1, 5), rng.choice((0.05, 0.1, 0.2, 0.3))
    w = c + rng.choice((-4, -3, -2, 2, 3, 4, 5))
    gradient = 2 * a * (w - c)
    answer = tidy(w - rate * gradient)
    return Drawn(
        values={"a": a, "c": c, "w": w, "rate": rate, "gradient": gradient},
        answer=answer,
        mistakes=apart(
            answer,
            0.005,
            (w + rate * gradient, _UPHILL),
            (w - rate * gradient / 2, "Differentiating the square gives a factor 2."),
            (w - rate * a * (w - c) ** 2, "The step uses the derivative of the loss, not the loss."),
            (w - gradient, "The learning rate scales the step."),
            (w - rate * 2 * (w - c), f"The factor {a} stays in the derivative."),
            (w - rate * 2 * a * w, f"The derivative is taken of (w − {c})², so w − {c} stays in it."),
        ),
    )


@drawing("gradient-steps-on-a-bowl")
def gradient_steps_on_a_bowl(rng: random.Random) -> Drawn:
    """w (1 - eta a)^n with L = a w^2 / 2 (Goh 2017)."""
    answer = 0.0
    while abs(answer) < 0.05:  # below, three decimals would say too little
        a, rate = rng.choice(
            ((1, 0.2), (1, 0.5), (2, 0.1), (2, 0.3), (2, 0.8), (4, 0.1), (4, 0.3), (4, 0.6), (5, 0.3))
        )
        w, steps = rng.choice((1, 2, 5, 10)), rng.randint(2, 4)
        factor = tidy(1 - rate * a)
        answer = tidy(w * factor**steps)
    turned = (
        [(-answer, "Each step jumps over the minimum and turns the sign: count them.")] if factor < 0 else []
    )
    return Drawn(
        values={"a": a, "rate": rate, "w": w, "steps": steps, "factor": factor},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (
                w * (1 - steps * rate * a),
                "The gradient has to be taken anew at every step: it shrinks with w.",
            ),
            (w * factor, "That is after one step."),
            (w * (1 - 2 * rate * a) ** steps, f"The ½ cancels the 2 of the square: the gradient is {a}·w."),
            (w * (1 + rate * a) ** steps, _UPHILL),
            (w * (1 - rate) ** steps, f"The gradient is {a}·w, not w."),
            *turned,
        ),
    )


@drawing("momentum-two-steps")
def momentum_two_steps(rng: random.Random) -> Drawn:
    """u <- mu u - eta g, w <- w + u (Sutskever et al. 2013; Keras, SGD)."""
    mu, rate, w = rng.choice((0.5, 0.8, 0.9)), rng.choice((0.1, 0.2, 0.5)), rng.randint(1, 5)
    g1, g2 = signed(rng, *rng.sample(range(1, 6), 2))
    u1 = -rate * g1
    u2 = mu * u1 - rate * g2
    w1 = w + u1
    answer = tidy(w1 + u2)
    return Drawn(
        values={
            "mu": mu,
            "rate": rate,
            "w": w,
            "g1": g1,
            "g2": g2,
            "u1": tidy(u1),
            "w1": tidy(w1),
            "u2": tidy(u2),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (
                w - rate * (g1 + g2),
                "That is plain gradient descent: the second step keeps a part of the first.",
            ),
            (w + u2, "The weight has moved in the first step already."),
            (w - u1 - u2, "The velocity is added; it holds the minus sign already."),
            (
                w - (1 - mu) * rate * ((1 + mu) * g1 + g2),
                "Here the gradient is not damped by 1 − μ: it enters the velocity with the whole η.",
            ),
            (w1 + mu * u1 + mu * u2 - rate * g2, "That is Nesterov's variant as Keras has it."),
            (w1 + u1 - rate * g2, "The old velocity is multiplied by the momentum first."),
            (w1 + u2 * rate, "The learning rate is in the velocity already."),
        ),
    )


@drawing("adagrad-two-steps")
def adagrad_two_steps(rng: random.Random) -> Drawn:
    """a <- a + g^2, w <- w - eta g / sqrt(a) (Duchi, Hazan and Singer 2011)."""
    *sizes, root = rng.choice(WHOLE_LENGTHS)
    g1, g2 = signed(rng, *sizes)
    w, rate = rng.randint(1, 5), rng.choice((0.1, 0.2, 0.5, 1))
    s1 = -rate * g1 / abs(g1)
    s2 = -rate * g2 / root
    answer = tidy(w + s1 + s2)
    return Drawn(
        values={
            "w": w,
            "rate": rate,
            "g1": g1,
            "g2": g2,
            "a1": g1**2,
            "a2": root**2,
            "r1": abs(g1),
            "r2": root,
            "s1": tidy(s1),
            "s2": round(s2, 4),
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (w + s1 - rate * g2 / abs(g2), "a keeps the first gradient's square and adds the second one's."),
            (w - rate * (g1 + g2), "That is plain gradient descent, without dividing by √a."),
            (w - rate / g1 - rate * g2 / root**2, "Divide by the root of a, not by a."),
            (w - s1 - s2, _UPHILL),
            (w + s2, "The weight has moved in the first step already."),
            (w - rate * (g1 + g2) / root, "The first step was made before the second gradient was known."),
            (w + s1 - rate * g2 / (abs(g1) + abs(g2)), "Squares are added, and then the root is taken."),
        ),
    )


@drawing("rmsprop-step")
def rmsprop_step(rng: random.Random) -> Drawn:
    """v <- rho v + (1 - rho) g^2, w <- w - eta g / sqrt(v) (Tieleman and Hinton 2012)."""
    rho, v, rate = rng.choice((0.8, 0.9)), rng.choice((1, 2, 4, 5)), rng.choice((0.1, 0.2, 0.5))
    w, (g,) = rng.randint(1, 5), signed(rng, rng.choice((3, 4, 5, 6)))
    rest = tidy(1 - rho)
    new_v = rho * v + rest * g**2
    root = math.sqrt(new_v)
    answer = w - rate * g / root
    return Drawn(
        values={
            "rho": rho,
            "v": v,
            "rate": rate,
            "w": w,
            "g": g,
            "rest": rest,
            "square": g**2,
            "new_v": tidy(new_v),
            "root": root,
        },
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (w - rate * g / math.sqrt(v), "v is updated first; the step uses the new one."),
            (w - rate * g / new_v, "Divide by the root of v."),
            (w - rate * g / math.sqrt(v + g**2), "That is AdaGrad's sum; RMSProp takes a moving average."),
            (
                w - rate * g / math.sqrt(rest * v + rho * g**2),
                "ρ weighs the old average, 1 − ρ the new square.",
            ),
            (w + rate * g / root, _UPHILL),
            (w - rate * g, "That is plain gradient descent, without dividing by √v."),
            (w - rate * g / math.sqrt(rho * v + g**2), "The new square is weighed by 1 − ρ."),
        ),
    )


@drawing("adam-first-step")
def adam_first_step(rng: random.Random) -> Drawn:
    """w - eta m_hat / sqrt(v_hat) with m_hat = g, v_hat = g^2 at t = 1 (Kingma and Ba 2015)."""
    rate, w = rng.choice((0.001, 0.002, 0.005, 0.01)), tidy(rng.randint(2, 9) / 10 * rng.choice((-1, 1)))
    g = rng.choice((0.02, 0.05, 0.3, 4, 25)) * rng.choice((-1, 1))
    sign = 1 if g > 0 else -1
    answer = tidy(w - rate * sign)
    return Drawn(
        values={"rate": rate, "w": w, "g": g},
        answer=answer,
        mistakes=apart(
            answer,
            0.0001,
            (w - rate * g, "That is plain gradient descent; Adam divides by the root of the mean square."),
            (
                w - rate * sign * 0.1 / math.sqrt(0.001),
                "Without the bias correction the first step is about three times as long.",
            ),
            (w + rate * sign, "That step goes uphill: it should go against the gradient's sign."),
            (w - rate * 0.1 * sign, "m needs its bias correction, just as v does."),
            (w - rate * g * 0.1, "m is corrected and then divided by the root of the corrected v."),
            (w - rate / g, "Divide by the root of v, which has the size of the gradient, not by its square."),
        ),
    )


@drawing("adam-corrected-mean")
def adam_corrected_mean(rng: random.Random) -> Drawn:
    """m_t = beta m_{t-1} + (1 - beta) g_t, m_hat = m_t / (1 - beta^t) (Kingma and Ba 2015)."""
    beta = rng.choice((0.5, 0.8, 0.9))
    g1, g2 = signed(rng, *rng.sample(range(1, 10), 2))
    m1 = (1 - beta) * g1
    m2 = beta * m1 + (1 - beta) * g2
    divisor = 1 - beta**2
    answer = tidy(m2 / divisor)
    return Drawn(
        values={"beta": beta, "g1": g1, "g2": g2, "m1": m1, "m2": m2, "divisor": divisor},
        answer=answer,
        mistakes=apart(
            answer,
            0.002,
            (m2, "That is m itself, still biased towards its start at 0."),
            (m2 / (1 - beta), "At the second step the divisor has β², not β."),
            ((g1 + g2) / 2, "The plain mean; the newer gradient has more weight here."),
            (
                (beta * g1 + (1 - beta) * g2) / divisor,
                "Correct at the end only: the stored m goes into the next step uncorrected.",
            ),
            (
                beta * g1 + (1 - beta) * g2,
                "That starts the average at the first gradient; here m starts at 0 and is corrected for it.",
            ),
            ((beta * g2 + g1) / (1 + beta), "The newer gradient has the larger weight, not the older one."),
            (m2 / beta**2, "The divisor is 1 − β², not β²."),
        ),
    )


@drawing("step-decay-rate")
def step_decay_rate(rng: random.Random) -> Drawn:
    """eta_0 factor^floor(epoch / every) (Zhang et al., D2L, section 12.11)."""
    rate, factor = rng.choice((0.1, 0.2, 0.4, 0.8)), rng.choice((0.1, 0.2, 0.5))
    every, drops = rng.choice((5, 10, 20, 30)), rng.randint(1, 3)
    epoch = drops * every + rng.randrange(every)
    answer = tidy(rate * factor**drops)
    return Drawn(
        values={"rate": rate, "factor": factor, "every": every, "epoch": epoch, "drops": drops},
        answer=answer,
        mistakes=apart(
            answer,
            0.005 * answer,
            (rate * factor ** (drops + 1), "Only whole blocks of epochs count: round the quotient down."),
            (rate * factor ** (drops - 1), "The drop after each block of epochs has happened by then."),
            (rate * factor ** (epoch / every), "The rate stays constant between two drops: round down."),
            (rate * factor * drops, "The factor is applied again at each drop: it is raised to a power."),
            (rate / (1 + factor * drops), "That is a time-based decay."),
        ),
    )


@drawing("exponential-decay-rate")
def exponential_decay_rate(rng: random.Random) -> Drawn:
    """eta_0 factor^epoch (Zhang et al., D2L, section 12.11)."""
    rate, factor = rng.choice((0.1, 0.2, 0.4, 0.01)), rng.choice((0.5, 0.8, 0.9, 0.95))
    epoch = rng.randint(3, 6)
    answer = tidy(rate * factor**epoch)
    return Drawn(
        values={"rate": rate, "factor": factor, "epoch": epoch},
        answer=answer,
        mistakes=apart(
            answer,
            0.005 * answer,
            (
                rate * factor ** (epoch - 1),
                "Epoch 0 has the full rate, so the exponent is the epoch's number.",
            ),
            (
                rate * factor ** (epoch + 1),
                "Epoch 0 has the full rate, so the exponent is the epoch's number.",
            ),
            (rate * (1 - epoch * (1 - factor)), "The same share is lost each time, not the same amount."),
            (rate * factor * epoch, "The factor is applied once an epoch: it is raised to a power."),
            (rate * factor, "That is the rate after one epoch."),
            (rate * math.exp(-factor * epoch), "The factor itself is the base of the power, not e."),
        ),
    )


@drawing("time-based-decay-rate")
def time_based_decay_rate(rng: random.Random) -> Drawn:
    """eta_0 / (1 + k t) (Keras, InverseTimeDecay)."""
    rate, k, epoch = rng.choice((0.1, 0.2, 0.4, 0.01)), rng.choice((0.05, 0.1, 0.25, 0.5)), rng.randint(2, 12)
    divisor = 1 + k * epoch
    answer = tidy(rate / divisor)
    return Drawn(
        values={"rate": rate, "k": k, "epoch": epoch, "divisor": tidy(divisor)},
        answer=answer,
        mistakes=apart(
            answer,
            0.005 * answer,
            (rate / (1 + k) ** epoch, "The divisor grows linearly with t; that is an exponential decay."),
            (rate * (1 - k * epoch), "The rate is divided by 1 + k·t, not lowered along a line."),
            (rate / (k * epoch), "The 1 in the divisor is missing."),
            (rate * divisor, "Divide by 1 + k·t: the rate falls."),
            (rate / (1 + k * (epoch + 1)), "The count starts at t = 0, with the full rate."),
            (rate / (1 + k * (epoch - 1)), "The count starts at t = 0, with the full rate."),
            (rate / (1 + k), "That is the rate of epoch 1."),
        ),
    )


@drawing("warm-up-rate")
def warm_up_rate(rng: random.Random) -> Drawn:
    """peak step / warm (Goyal et al. 2017, section 2.2)."""
    peak, warm = rng.choice((0.1, 0.4, 0.8, 0.001)), rng.choice((500, 1000, 2000, 4000))
    step = warm // 20 * rng.choice([part for part in range(1, 20) if part != 10])
    answer = tidy(peak * step / warm)
    return Drawn(
        values={"peak": peak, "warm": warm, "step": step},
        answer=answer,
        mistakes=apart(
            answer,
            0.005 * answer,
            (peak * (1 - step / warm), "That falls from the peak; a warm-up rises to it."),
            (peak, "The peak is reached at the end of the warm-up only."),
            (peak * (step / warm) ** 2, "The rise is a straight line."),
            (peak * warm / step, "The share of the way is the step divided by the length of the warm-up."),
        ),
    )


@drawing("accumulated-gradient")
def accumulated_gradient(rng: random.Random) -> Drawn:
    """(n1 g1 + n2 g2) / (n1 + n2) (Goodfellow et al. 2016, section 8.1.3)."""
    n1, n2 = rng.choice(((32, 8), (8, 32), (24, 8), (8, 24), (30, 20), (20, 30), (12, 4), (16, 4), (4, 16)))
    g1, g2 = (tidy(one / 10) for one in signed(rng, *rng.sample(range(2, 31), 2)))
    total = n1 + n2
    answer = tidy((n1 * g1 + n2 * g2) / total)
    return Drawn(
        values={"n1": n1, "n2": n2, "g1": g1, "g2": g2, "total": total},
        answer=answer,
        mistakes=apart(
            answer,
            0.005,
            ((g1 + g2) / 2, "The plain mean counts a sample of the smaller batch for more."),
            (g1 + g2, "The gradients are averaged over the samples, not just added."),
            ((n2 * g1 + n1 * g2) / total, "Each mean is weighted by the size of its own batch."),
            (n1 * g1 + n2 * g2, "That is the gradient of the summed loss; divide by the number of samples."),
            ((n1 * g1 + n2 * g2) / 2, "Divide by the number of samples, not of batches."),
        ),
    )


@drawing("clip-by-norm")
def clip_by_norm(rng: random.Random) -> Drawn:
    """g limit / |g| if |g| > limit, else g (Pascanu, Mikolov and Bengio 2013)."""
    *sizes, norm = rng.choice(WHOLE_LENGTHS)
    g0, g1 = signed(rng, *sizes)
    clipped = rng.random() < 0.75
    limit = rng.choice((1, 2, tidy(norm / 2))) if clipped else norm + rng.choice((2, 5, 10))
    answer = tidy(g0 * limit / norm) if clipped else g0
    verdict = (
        f"That is above the limit {limit}: both components are multiplied by {limit}/{norm}"
        if clipped
        else f"That is within the limit {limit}: nothing changes"
    )
    return Drawn(
        values={"g0": g0, "g1": g1, "limit": limit, "norm": norm, "square": norm**2, "verdict": verdict},
        answer=answer,
        mistakes=apart(
            answer,
            0.005,
            (g0 * limit / norm, "A gradient within the limit is left alone; clipping never enlarges."),
            (
                max(-limit, min(limit, g0)),
                "That clips by value, each component alone; the norm of the whole counts.",
            ),
            (g0, "The norm is above the limit, so the whole vector is shortened."),
            (g0 / norm, "That has the length 1, and not that of the limit."),
            (
                g0 * limit / sum(sizes),
                "The norm is the root of the sum of squares, not the sum of the sizes.",
            ),
            (g0 * limit / norm**2, "Divide by the norm, not by its square."),
            (abs(answer), "Clipping keeps the sign."),
        ),
    )


@drawing("clip-by-global-norm")
def clip_by_global_norm(rng: random.Random) -> Drawn:
    """g_j limit / |g| with |g|^2 = sum_j |g_j|^2, here > limit (Pascanu, Mikolov and Bengio 2013)."""
    a0, a1, b, norm = rng.choice(WHOLE_DIAGONALS)
    limit = rng.choice((1, 2, tidy(norm / 2)))
    answer = tidy(b * limit / norm)
    return Drawn(
        values={"a0": a0, "a1": a1, "b": b, "norm": norm, "limit": limit},
        answer=answer,
        mistakes=apart(
            answer,
            0.005,
            (
                min(b, limit),
                "That clips this tensor by itself; the global norm is that of all gradients together.",
            ),
            (b, "The global norm is above the limit, so every gradient is shortened."),
            (b / norm, "That makes the global norm 1, and not the limit."),
            (b * limit / (math.hypot(a0, a1) + b), "The squares of the norms are added up, not the norms."),
            (b * limit / norm**2, "Divide by the norm, not by its square."),
        ),
    )


@drawing("chain-rule-squared-line")
def chain_rule_squared_line(rng: random.Random) -> Drawn:
    """2 (w x + b - t) x (Goodfellow et al. 2016, section 6.5.2)."""
    x, w = signed(rng, rng.randint(2, 5), rng.randint(1, 4))
    b, error = rng.randint(-3, 3), rng.choice((-4, -3, -2, 2, 3, 4))
    t = w * x + b - error
    answer = 2 * error * x
    return Drawn(
        values={"x": x, "w": w, "b": b, "t": t, "error": error},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (2 * error, "That is ∂L/∂b: the inner derivative by w, which is x, is missing."),
            (error * x, "Differentiating the square gives a factor 2."),
            (2 * error * w, "The inner derivative by w is x; w is the one by x."),
            (-answer, "The error is prediction minus target, and the gradient has its sign."),
            (error**2 * x, "The square's derivative is 2 times the error."),
            (error**2, "That is the loss itself."),
        ),
    )


@drawing("chain-rule-two-paths")
def chain_rule_two_paths(rng: random.Random) -> Drawn:
    """f = (x y) (x + y): (x + y) y + x y (Goodfellow et al. 2016, section 6.5.2)."""
    x, y = signed(rng, *rng.sample(range(1, 7), 2))
    a, b = x * y, x + y
    answer = b * y + a
    return Drawn(
        values={"x": x, "y": y, "a": a, "b": b, "through_a": b * y, "through_b": a},
        answer=answer,
        mistakes=apart(
            answer,
            0.001,
            (b * y, "The path through b is missing; x is a part of b as well."),
            (a, "The path through a is missing; x is a part of a as well."),
            (b * y * a, "Contributions of different paths are added, not multiplied."),
            (y, "a and b both change with x: use the product rule on f = a·b."),
            (b * x + a, "That is ∂f/∂y: the derivative of a = x·y by x is y."),
            (a * b, "That is f itself."),
        ),
    )


@drawing("backprop-sigmoid-neuron")
def backprop_sigmoid_neuron(rng: random.Random) -> Drawn:
    """(a - t) a (1 - a) x (Rumelhart, Hinton and Williams 1986)."""
    x = rng.choice((-2, -1.5, -0.5, 0.5, 1.5, 2, 3))
    a, t = rng.randint(1, 9) / 10, rng.choice((0, 1))
    error, slope = tidy(a - t), tidy(a * (1 - a))
    answer = tidy(error * slope * x)
    return Drawn(
        values={"x": x, "a": a, "t": t, "error": error, "slope": slope},
        answer=answer,
        mistakes=apart(
            answer,
            0.0005,
            (error * x, "The slope of the sigmoid, a(1 − a), is missing."),
            (-answer, "The derivative of ½(t − a)² by a is a − t, not t − a."),
            (error * slope, "That is ∂E/∂b: the input x is missing."),
            (2 * answer, "The factor ½ cancels the 2 of the square."),
            (slope * x, "The derivative of the loss, a − t, is missing."),
            (error * a * x, "The slope of the sigmoid is a(1 − a)."),
            (error**2 / 2 * slope * x, "The first factor is the derivative of the loss, not the loss."),
        ),
    )


@drawing("central-difference-cube")
def central_difference_cube(rng: random.Random) -> Drawn:
    """((x + h)^3 - (x - h)^3) / (2h) = 3 x^2 + h^2 (Bishop 2006, section 5.3.3)."""
    x, h = rng.randint(1, 6), rng.choice((0.1, 0.2, 0.3, 0.5))
    exact, square = 3 * x**2, tidy(h**2)
    answer = tidy(exact + square)
    return Drawn(
        values={"x": x, "h": h, "exact": exact, "square": square},
        answer=answer,
        mistakes=apart(
            answer,
            0.0005,
            (exact, "That is the analytic derivative; the difference is off by h²."),
            (exact + 3 * x * h + square, "That is the one-sided difference (f(x + h) − f(x)) / h."),
            (exact - 3 * x * h + square, "That is the one-sided difference (f(x) − f(x − h)) / h."),
            (2 * answer, "The two points are 2h apart: divide by 2h."),
            (2 * h * answer, "The difference still has to be divided by 2h."),
            (exact - square, "The terms with h³ have the same sign in the difference: they add up."),
        ),
    )
