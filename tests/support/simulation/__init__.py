"""A deterministic simulation of months with the mirror: the real code, its clock, network and death drawn from a seed.

``machine`` is the computer: virtual time, processes that take turns, sudden death. ``network`` is what lies between the
client and the account, ``disk`` what lies between it and the database, ``judge`` holds the mirror against the account.
``universe`` lets them live together: ``Universe(seed, folder).live(days)``.
"""

from tests.support.simulation.universe import Figures, Universe, Violation

__all__ = ["Figures", "Universe", "Violation"]
