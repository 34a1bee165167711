import sys

from gameshelf.gateway.main import run

sys.exit(run())
