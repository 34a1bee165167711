"""Reading a library: SQL to plain values. Nothing here writes or decides."""
