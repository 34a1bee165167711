import sys

from gameshelf.devstack.cli import main

main(sys.argv[1:])
