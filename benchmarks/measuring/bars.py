"""What a bar on a face's quality would keep out: false matches, and true ones."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from benchmarks.peers.contestants import Seen

KEPT_OUT = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)  # shares of the faces


def report_bars(faces: Mapping[str, Seen | None], tolerance: float) -> None:
    """Print, for bars that keep out so many faces, the matches that remain between the others."""
    seen = {name: face for name, face in faces.items() if face is not None}
    people = np.array([name.split("/")[0] for name in seen])
    stacked = np.array([face.encoding for face in seen.values()], np.float64)
    first, second = np.array(list(combinations(range(len(seen)), 2))).T
    matching = np.concatenate(
        [
            np.linalg.norm(stacked[first[k : k + 65536]] - stacked[second[k : k + 65536]], axis=1)
            <= tolerance
            for k in range(0, len(first), 65536)
        ]
    )
    same = people[first] == people[second]
    print(
        f"    {'bar':>22} {'faces kept out':>14} {'false matches cut':>18} {'true matches lost':>18}"
        f" {'false rate':>11} {'true rate':>10}"
    )
    for quality in ("size", "sharpness", "pose", "score"):
        values = np.array([face.quality[quality] for face in seen.values()])
        good = -values if quality == "pose" else values
        for share in KEPT_OUT:
            bar = np.quantile(good, share)
            kept = good >= bar
            both = kept[first] & kept[second]
            cut = 1 - (matching & ~same & both).sum() / (matching & ~same).sum()
            lost = 1 - (matching & same & both).sum() / (matching & same).sum()
            false_rate = (matching & ~same & both).sum() / (~same & both).sum()
            true_rate = (matching & same & both).sum() / (same & both).sum()
            print(
                f"    {quality:>12} {abs(bar):9.2f} {1 - kept.mean():14.1%} {cut:18.1%} {lost:18.1%}"
                f" {false_rate:11.3%} {true_rate:10.2%}",
                flush=True,
            )
