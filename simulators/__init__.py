"""The outside world: homes, gateways, phones, an SMS provider."""
