"""Record services of others, real ones, started by the tests on loopback, each with its history."""
