"""The three files: devices.yaml (what is where), grids.yaml (who is responsible), rules.yaml (what counts)."""

from shouwang.config.loading import Community, digests, load, load_devices, load_rulebook
from shouwang.config.problems import ConfigError, Problem, did_you_mean

__all__ = ["Community", "ConfigError", "Problem", "did_you_mean", "digests", "load", "load_devices", "load_rulebook"]
