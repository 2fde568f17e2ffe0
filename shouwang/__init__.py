"""Wiring: settings, configuration files, the service, the command line, the clock."""
