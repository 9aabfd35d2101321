"""The production overlay for a rehearsal, and the same with a newer Redis, made beside a copy of `k8s/`.

The brokers are Debian's, under the names of the images that the manifests ask for: Redis 7.0, RabbitMQ 3.10 and
HAProxy 2.6. The newer Redis is 8.0. There is no newer RabbitMQ: of the versions that Debian has, 3.8, 3.10, 4.0
and 4.3, none upgrades to the next (3.8 goes to 3.9 only, 3.10 to 3.11, 4.0 to 4.2). So its nodes are replaced by
others of the same version.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.containers.manifests import Manifests, render

K8S = Path(__file__).parents[2] / "k8s"
NEWER_REDIS = "8.0-trixie"
OVERLAY = """\
resources: [../production]
components: [../../components/backup]
configMapGenerator:
  - {name: settings, behavior: merge, literals: [API_KEYS=off]}
"""
NEWER = f"""\
resources: [../rehearsal]
images:
  - {{name: redis, newTag: {NEWER_REDIS}}}
"""


class Overlays:
    """A copy of `k8s/` with both overlays in it. `tree` is where."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "k8s"
        shutil.copytree(K8S, self.tree)
        self._known_to_3_10()
        for name, text in (("rehearsal", OVERLAY), ("newer", NEWER)):
            overlay = self.tree / "overlays" / name
            overlay.mkdir()
            (overlay / "kustomization.yaml").write_text(text)

    def manifests(self) -> Manifests:
        """What production runs."""
        return render(self.tree / "overlays/rehearsal")

    def with_newer_redis(self) -> Manifests:
        """The same after somebody changed the tag."""
        return render(self.tree / "overlays/newer")

    def _known_to_3_10(self) -> None:
        """Leave out what Debian's RabbitMQ does not know and would not start with."""
        settings = self.tree / "overlays/production/rabbitmq/cluster.conf"
        lines = settings.read_text().splitlines(keepends=True)
        known = (line for line in lines if "continuous_membership_reconciliation" not in line)
        settings.write_text("".join(known))
