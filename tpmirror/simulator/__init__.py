"""A small faithful imitation of the TensorPix API, for demos, tests and benchmarks: no account, no network needed.

``World`` is an account with a past and a virtual clock; ``Simulator`` serves it over HTTP on the loopback interface.
"""

from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

__all__ = ["Request", "Response", "Simulator", "World"]
