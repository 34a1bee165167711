"""Generated code of the Library Service's .proto files; ``protos/generate.py`` makes it."""
