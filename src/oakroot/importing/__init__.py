"""What other name servers have, read so that a zone repository can be made of it.

Each server's configuration has a reader, which gives a `Setup`; `writing` makes files of any of those. No
file is opened here: a function gives their content. What cannot be carried over is never dropped silently, it
becomes a note; and no key may do more in a zone than it could, but for what a note tells: it counts from
every address, and with updates go transfers.
"""
