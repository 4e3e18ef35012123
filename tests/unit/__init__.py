"""Tests of one module each: pure, without a disk, a clock or a network."""
