"""The composition root: command line, config, processes, supervision. The only place that knows everything."""
