"""What benchmarks have measured: figures with their rounds and floors, as JSON, and as a page with tables and plots."""

from gameshelf.devstack.measurements.figures import Figure, MeasuredOn, Results, read_figures, write_figures

__all__ = ["Figure", "MeasuredOn", "Results", "read_figures", "write_figures"]
