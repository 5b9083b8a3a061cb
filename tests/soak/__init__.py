"""The long run: ``python -m tests.soak``, and the tests that live through what the others only touch."""
