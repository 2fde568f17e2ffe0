"""MQTT in: the subscriber and one decoder a dialect."""
