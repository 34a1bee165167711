"""The modules of the benchmarks are imported as their scripts import them."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "bench"))
