from gameshelf.devstack.cli import dev

dev(prog_name="./dev")
