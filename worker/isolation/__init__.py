"""The engine in a process of its own, whose death does not end the worker.

    worker --> template --> child
       ^                      |
       +------ results -------+

The template loads the engine and never sees a picture. It forks a child in milliseconds, and the child does what
may crash, hang or exhaust memory: decoding a stranger's bytes and searching them. The worker talks to the child
over a socket; when the child dies, index, connections and the unacknowledged batch stay, and the template forks
another.
"""
