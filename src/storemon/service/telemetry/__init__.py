"""What the service tells of itself to who watches it: figures for Prometheus, traces for OpenTelemetry."""
