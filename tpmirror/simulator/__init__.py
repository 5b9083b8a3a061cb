"""A small faithful imitation of the TensorPix API, for demos, tests and benchmarks. It imports nothing of the rest."""
