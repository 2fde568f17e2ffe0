"""Everything over HTTP: health, metrics, the API, provider callbacks."""
