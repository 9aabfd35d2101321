"""Videos: which of their frames become pictures, and the process that takes them out (`python -m video`).

FFmpeg reads hostile files in a child process (`video.child`) with a bound on memory and time; it is given no file and
no secret, and asks for the bytes it wants. `video.extraction` is the other side of it, `video.selection` says which
frames are taken, `video.job` makes pictures of them.
"""
