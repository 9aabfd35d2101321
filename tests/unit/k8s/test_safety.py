"""No container has more than it needs, and none is left without bounds or without anyone asking after it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from faces.config import Settings
from tests.support.containers.manifests import Container, Manifests, values

SECONDS_A_PICTURE = 30
"""A picture of 64 megapixels, the most that are taken, extrapolated from 4.1 s for one of 10.8."""

UNASKED = {"logs", "watch"}
"""They serve nobody, and end or connect again by themselves: there is nothing that a probe could ask them."""


def running(rendered: Manifests) -> Iterator[Container]:
    """Those that serve; a Job's end by themselves."""
    jobs = {found["metadata"]["name"] for found in rendered.of("CronJob", "Job")}
    return (c for c in rendered.containers() if not c.starts_first and c.pod.name not in jobs)


def test_nobody_is_root(rendered: Manifests) -> None:
    for pod in rendered.pods():
        assert pod.spec["securityContext"]["runAsNonRoot"] is True
        assert pod.spec["securityContext"]["runAsUser"] > 0
        assert pod.spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_containers_can_do_no_more_than_run(rendered: Manifests) -> None:
    for container in rendered.containers():
        context = container.spec["securityContext"]
        assert context["readOnlyRootFilesystem"] is True, str(container)
        assert context["allowPrivilegeEscalation"] is False, str(container)
        assert context["capabilities"] == {"drop": ["ALL"]}, str(container)
        assert not {"runAsUser", "privileged"} & set(context), str(container)


def test_pods_get_no_token_and_no_addresses_as_settings(rendered: Manifests) -> None:
    for pod in rendered.pods():
        assert pod.spec["automountServiceAccountToken"] is False, pod.name
        assert pod.spec["enableServiceLinks"] is False, f"{pod.name}: REDIS_PORT would be tcp://..."
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec), pod.name


def test_resources_are_asked_for_and_memory_is_bounded(rendered: Manifests) -> None:
    for container in rendered.containers():
        assert {"cpu", "memory"} <= set(container.spec["resources"]["requests"]), str(container)
        assert "memory" in container.spec["resources"]["limits"], str(container)


def test_everyone_is_probed(rendered: Manifests) -> None:
    for container in running(rendered):
        if container.spec["name"] not in UNASKED:
            assert {"livenessProbe", "readinessProbe"} <= set(container.spec), str(container)


def test_whoever_reads_data_at_its_start_gets_minutes(rendered: Manifests) -> None:
    slow = {"worker", "groups", "redis", "rabbitmq"}
    for container in running(rendered):
        if container.spec["name"] in slow:
            probe = container.spec["startupProbe"]
            assert probe["periodSeconds"] * probe["failureThreshold"] >= 600, str(container)


def test_a_worker_may_finish_what_it_has_begun(rendered: Manifests) -> None:
    (worker,) = (pod for pod in rendered.pods() if pod.name == "worker")
    assert worker.spec["terminationGracePeriodSeconds"] > Settings().batch_size * SECONDS_A_PICTURE


def test_what_can_be_written_is_a_volume(rendered: Manifests) -> None:
    for container in running(rendered):
        if container.ours:
            assert {"name": "tmp", "mountPath": "/tmp"} in container.spec["volumeMounts"]  # noqa: S108 -- as in the image


def test_no_secret_is_rendered(rendered: Manifests) -> None:
    """So a clone knows none, and applying from it changes none."""
    assert list(rendered.of("Secret")) == []


def test_no_namespace_is_named(rendered: Manifests) -> None:
    """The one that they are applied to holds everything; others are those of operators."""
    foreign = {"monitoring", "keda", "gateway"}
    for found in rendered.objects:
        assert set(values(found, "namespace")) <= foreign, found["metadata"]["name"]
        assert ".svc" not in json.dumps(found).replace(".${POD_NAMESPACE}.svc.", ""), found["metadata"][
            "name"
        ]


def test_no_secret_is_an_argument(rendered: Manifests) -> None:
    for container in rendered.containers():
        words = [*container.spec.get("command", ()), *container.spec.get("args", ())]
        secret = {entry["name"] for entry in container.spec.get("env", ()) if "secretKeyRef" in str(entry)}
        assert not {name for name in secret for word in words if f"$({name})" in word}, str(container)
