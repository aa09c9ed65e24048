"""The protocol without I/O: TSIG, NOTIFY, queries of tools. Octets and the time come in, values go out."""
