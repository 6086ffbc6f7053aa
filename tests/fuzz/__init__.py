"""Fuzzers: inputs that nobody would think of, judged by independent programs or by hard limits."""
