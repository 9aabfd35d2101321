"""Paths that other systems' clients already call, each leading to a route of ours. docs/api.md lists them.

Method and answer are those of the route; only the path is another.
"""

from __future__ import annotations

from flask import Flask

SPELLINGS = {
    "/upload": "images.send_images",
    "/upload-batch": "images.send_images",
    "/uploadfile/": "images.send_images",
    "/image/": "images.send_images",
    "/search": "search.find",
    "/files": "images.list_images",
    "/task-status/<hash>": "images.get_image",
    "/face_encoding/<hash>/": "encodings.list_encodings",
    "/faces/<hash>": "images.get_image",
    "/stats": "stats.get_stats",
    "/stats/": "stats.get_stats",
    "/bonus/": "encodings.mean_encoding",
}


def install(app: Flask) -> None:
    """Add the paths; their endpoints need the scopes of the routes that they lead to."""
    for number, (path, endpoint) in enumerate(SPELLINGS.items()):
        (methods,) = (rule.methods for rule in app.url_map.iter_rules(endpoint))
        app.add_url_rule(
            path,
            endpoint=f"spelling{number}.{endpoint}",
            view_func=app.view_functions[endpoint],
            methods=sorted((methods or set()) - {"OPTIONS", "HEAD"}),
            strict_slashes=False,
        )
