"""What the sample photographs show."""

from __future__ import annotations

OBAMA = ("obama.jpg", "obama2.jpg", "obama3.jpg")
NEAREST_FIRST = {
    "obama.jpg": ["obama3.jpg", "obama2.jpg"],  # 0.31 and 0.34 apart
    "obama2.jpg": ["obama.jpg", "obama3.jpg"],  # 0.34, 0.39
    "obama3.jpg": ["obama.jpg", "obama2.jpg"],  # 0.31, 0.39
}
