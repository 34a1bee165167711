"""``libctl tui``: what a player has on one screen. Only this command imports textual.

``listing.py`` and ``tabs/`` say what is read and shown, by the calls of the other commands, and know no terminal;
``app.py``, ``pane.py`` and ``command_list.py`` draw it; ``served.py`` shows it in a browser.
"""
