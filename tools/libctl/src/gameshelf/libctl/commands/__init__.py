"""One file a noun; each defines ``group``, which ``main.py`` loads when it is called."""
