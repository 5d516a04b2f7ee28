"""dlquiz: Keras assignments that check themselves, and practice for the theory behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlquiz.notebooks.report import Checked


def check(
    slug: str, *, problems: str | Sequence[str] = (), seed: int | None = None, timeout: float = 20.0
) -> Checked:
    """Run an assignment's public tests against what the notebook that calls this has defined.

    The tests are those of the installed package, so that a notebook by itself is enough. They run in the notebook's
    own process: what ends Python for good ends the kernel too, and a call that never comes back from a library's own
    code can only be ended by restarting the kernel. `dlquiz check` in a terminal has a process of its own for that.

    Args:
        slug: the assignment's name, such as "normalization".
        problems: the name of a problem, or several, to run only their tests.
        seed: repeat a run with its seed; drawn if it is not given.
        timeout: seconds for each test. Kept where Python has `signal.setitimer`, so not on Windows, and only in the
            main thread.

    Returns:
        What became of the tests: shown as a table by a notebook and as text elsewhere; has `passed`, `total` and
        `to_json()`. An interrupt (Ctrl-C, "interrupt the kernel") leaves the tests that were done by then.

    Raises:
        HandoutError: there is no such assignment or problem; says which there are.

    Example:
        >>> dlquiz.check("normalization", problems="batch_norm")  # doctest: +SKIP
    """
    import sys

    from dlquiz.notebooks.checking import check_namespace

    namespace = sys._getframe(1).f_globals
    return check_namespace(slug, namespace, problems=problems, seed=seed, timeout=timeout)
