"""Breaches of several objectives: which of them are significant when all are tested together.

Twelve objectives exactly at their limits would show a breach somewhere far more often than one of them
would. Holm's step-down procedure (Holm 1979) keeps the chance of any false breach at that of one.
Met needs no such correction: a tier is met only if every objective is (Berger 1982).
"""

from collections.abc import Sequence


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Return, for each p-value, whether it is rejected with a family-wise error rate of `alpha`.

    The smallest is compared with alpha/m, the next with alpha/(m-1), and so on until one fails.
    """
    rejected = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected
