"""The page that `./dev up` opens with: the server of ``examples/launcher``, and the buttons that only a demo has."""
