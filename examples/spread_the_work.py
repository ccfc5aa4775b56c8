"""Numerical derivatives and checks of a slow function, spread over several processes.

The function follows a pendulum with friction until it has swung for a while, from a starting angle and a starting
speed, step by step in Python.  Tracing would record every step; differences only need its values.

Run it with ``python examples/spread_the_work.py``.  What is at the top of this file can be imported by the other
processes; the work itself begins below ``if __name__ == "__main__":``, which they do not run.
"""

import math
import os
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

import numpy as np

import jacobi as jb

STEP, STEPS = 2e-4, 15_000
POINT = np.array([1.0, 0.3, 9.81, 0.2])  # angle, speed, gravity over length, friction
WORKERS = min(4, os.cpu_count() or 1)


def swing(x):
    """The angle and the speed in the end, by the midpoint rule."""
    angle, speed, strength, friction = map(float, x)
    for _ in range(STEPS):
        middle = angle + 0.5 * STEP * speed
        halfway = speed - 0.5 * STEP * (strength * math.sin(angle) + friction * speed)
        angle += STEP * halfway
        speed -= STEP * (strength * math.sin(middle) + friction * halfway)
    return np.array([angle, speed])


def by_hand(x):
    """The Jacobian, from the derivative of every step."""
    angle, speed, strength, friction = map(float, x)
    d_angle, d_speed, d_strength, d_friction = np.eye(4)
    for _ in range(STEPS):
        middle, d_middle = angle + 0.5 * STEP * speed, d_angle + 0.5 * STEP * d_speed
        halfway = speed - 0.5 * STEP * (strength * math.sin(angle) + friction * speed)
        d_halfway = d_speed - 0.5 * STEP * (
            math.sin(angle) * d_strength
            + strength * math.cos(angle) * d_angle
            + speed * d_friction
            + friction * d_speed
        )
        angle, d_angle = angle + STEP * halfway, d_angle + STEP * d_halfway
        speed -= STEP * (strength * math.sin(middle) + friction * halfway)
        d_speed = d_speed - STEP * (
            math.sin(middle) * d_strength
            + strength * math.cos(middle) * d_middle
            + halfway * d_friction
            + friction * d_halfway
        )
    return np.stack([d_angle, d_speed])


def layer(X):
    """A function of each row of a batch."""
    return np.tanh(X @ np.array([[1.0, -2.0], [0.5, 1.0], [3.0, 0.0]]))


def blocks(X):
    """Its Jacobians: sample, output, input."""
    return jb.jacobian(layer)(X).blocks()


def timed(work):
    """What some work gives, and how many seconds it takes."""
    began = perf_counter()
    return work(), perf_counter() - began


def main():
    """Print how long the work takes with and without other processes, and that what is found is the same."""
    (J, error), alone = timed(lambda: jb.finite_difference(swing)(POINT))
    (same_J, same_error), spread = timed(lambda: jb.finite_difference(swing, workers=WORKERS)(POINT))
    same = np.array_equal(J, same_J) and np.array_equal(error, same_error)
    print(f"differences: {alone:.2f} s alone, {spread:.2f} s with {WORKERS} processes, equal to the last bit: {same}")

    with ProcessPoolExecutor(WORKERS) as pool:  # kept for several calls
        options = {"points": 3, "budget": 1000, "progress": True}
        report = jb.check(swing, by_hand, POINT, workers=pool.map, **options)
        print(f"check at {1 + len(report.points)} points: {report.verdict}, largest error {report.max_error:.1e}")

        X = np.random.default_rng(0).normal(size=(1000, 3))
        chunks = list(pool.map(blocks, np.array_split(X, 4)))
        print(f"per-sample Jacobians of {len(X)} samples from {len(chunks)} chunks:", np.concatenate(chunks).shape)


if __name__ == "__main__":
    main()
