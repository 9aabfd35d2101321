"""Every name that one object says of another is the name of something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.containers.manifests import WORKLOADS, Container, Manifests, Object, Pod, values


def chosen(rendered: Manifests, labels: dict[str, str]) -> list[Pod]:
    """The pods that labels select."""
    return [pod for pod in rendered.pods() if labels.items() <= pod.labels.items()]


def ports(pods: list[Pod]) -> set[object]:
    """Names and numbers of the ports of some pods."""
    found = [port for pod in pods for port in values(pod.spec["containers"], "ports") for port in port]
    return {port["name"] for port in found} | {port["containerPort"] for port in found}


def test_workloads_select_their_own_pods(rendered: Manifests) -> None:
    for found in rendered.of("Deployment", "StatefulSet"):
        names = [pod.name for pod in chosen(rendered, found["spec"]["selector"]["matchLabels"])]
        assert names == [found["metadata"]["name"]]


def test_services_lead_to_a_port_of_pods(rendered: Manifests) -> None:
    for service in rendered.of("Service"):
        pods = chosen(rendered, service["spec"]["selector"])
        assert pods, service["metadata"]["name"]
        for port in service["spec"]["ports"]:
            assert port.get("targetPort", port["port"]) in ports(pods), service["metadata"]["name"]


def test_budgets_select_pods(rendered: Manifests) -> None:
    for budget in rendered.of("PodDisruptionBudget"):
        assert len(chosen(rendered, budget["spec"]["selector"]["matchLabels"])) == 1


def test_pods_spread_among_their_own(rendered: Manifests) -> None:
    for pod in rendered.pods():
        for constraint in pod.spec.get("topologySpreadConstraints", []):
            assert chosen(rendered, constraint["labelSelector"]["matchLabels"]) == [pod]


def test_scalers_scale_what_is_there(rendered: Manifests) -> None:
    for scaler in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]
        assert rendered.named(target.get("kind", "Deployment"), target["name"])
    for trigger in (
        trigger for found in rendered.of("ScaledObject") for trigger in found["spec"]["triggers"]
    ):
        assert rendered.named("TriggerAuthentication", trigger["authenticationRef"]["name"])


def test_what_is_scaled_has_no_count_of_its_own(rendered: Manifests) -> None:
    for scaler in rendered.of("HorizontalPodAutoscaler", "ScaledObject"):
        target = rendered.named("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
        assert target
        assert "replicas" not in target["spec"]


def test_secrets_and_settings_are_there(in_cluster: Manifests) -> None:
    asked = list(references(in_cluster))
    assert asked
    for kind, name, key in asked:
        found = in_cluster.named(kind, name)
        assert found, f"{kind} {name}"
        assert key is None or key in found["data"], f"{kind} {name} has no {key}"


def references(rendered: Manifests) -> Iterator[tuple[str, str, str | None]]:
    """Kind, name and, where one is asked for, key of every Secret and ConfigMap that anything names."""
    for field, kind, name in (
        ("secretRef", "Secret", "name"),
        ("configMapRef", "ConfigMap", "name"),
        ("secretKeyRef", "Secret", "name"),
        ("configMapKeyRef", "ConfigMap", "name"),
        ("secret", "Secret", "secretName"),
        ("configMap", "ConfigMap", "name"),
    ):
        for reference in values(rendered.objects, field):
            if reference.get("optional"):
                continue
            keys = [item["key"] for item in reference.get("items", [])] or [reference.get("key")]
            yield from ((kind, reference[name], key) for key in keys)
    for targets in values(rendered.objects, "secretTargetRef"):
        yield from (("Secret", target["name"], target["key"]) for target in targets)


def test_changed_configuration_rolls_pods(rendered: Manifests) -> None:
    for_grafana = ("facefleet-dashboard",)
    names = {found["metadata"]["name"] for found in rendered.of("ConfigMap")}.difference(for_grafana)
    assert names
    assert all(len(name.rpartition("-")[2]) == 10 for name in names), names


def test_volumes_are_mounted_and_claimed(rendered: Manifests) -> None:
    claims = {found["metadata"]["name"] for found in rendered.of("PersistentVolumeClaim")}
    for workload in rendered.of(*WORKLOADS):
        pods = list(values(workload, "template"))
        there = {volume["name"] for volumes in values(pods, "volumes") for volume in volumes}
        there |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        mounted = {mount["name"] for mounts in values(pods, "volumeMounts") for mount in mounts}
        assert mounted == there, workload["metadata"]["name"]
        assert {claim["claimName"] for claim in values(pods, "persistentVolumeClaim")} <= claims


def test_stateful_pods_have_a_service_for_their_names(rendered: Manifests) -> None:
    for found in rendered.of("StatefulSet"):
        service = rendered.named("Service", found["spec"]["serviceName"])
        assert service
        assert service["spec"]["clusterIP"] == "None"


def test_probes_ask_at_a_port_of_their_container(rendered: Manifests) -> None:
    for container in rendered.containers():
        mine = {port["name"] for port in container.spec.get("ports", [])}
        assert {port for port in probed_ports(container) if port} <= mine, str(container)


def probed_ports(container: Container) -> Iterator[Any]:
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container.spec.get(name, {})
        yield (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")


def test_routes_lead_to_a_service(rendered: Manifests) -> None:
    for backends in values(list(rendered.of("HTTPRoute")), "backendRefs"):
        for backend in backends:
            service = rendered.named("Service", backend["name"])
            assert service
            assert backend["port"] in {port["port"] for port in service["spec"]["ports"]}


def test_ingress_leads_to_a_service(rendered: Manifests) -> None:
    for backend in values(list(rendered.of("Ingress")), "service"):
        service = rendered.named("Service", backend["name"])
        assert service
        assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}


def test_monitors_find_a_port(rendered: Manifests) -> None:
    for monitor in rendered.of("ServiceMonitor"):
        labels = monitor["spec"]["selector"]["matchLabels"]
        services = [
            s for s in rendered.of("Service") if labels.items() <= s["metadata"].get("labels", {}).items()
        ]
        assert len(services) == 1
        known = {port["name"] for port in services[0]["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= known
    for monitor in rendered.of("PodMonitor"):
        known_to_pods = ports(chosen(rendered, monitor["spec"]["selector"]["matchLabels"]))
        assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} <= known_to_pods


def test_policies_open_ports_that_are_there(rendered: Manifests) -> None:
    for policy in rendered.of("NetworkPolicy"):
        labels = policy["spec"]["podSelector"].get("matchLabels")
        for rule in policy["spec"].get("ingress", []) if labels else []:
            assert {port["port"] for port in rule["ports"]} <= ports(chosen(rendered, labels)), policy[
                "metadata"
            ]
        for rule in policy["spec"].get("egress", []):
            for target in destinations(rule):
                reached = chosen(rendered, target)
                assert {port["port"] for port in rule["ports"]} <= ports(reached), policy["metadata"]


def test_policies_are_for_all_pods_or_for_none(rendered: Manifests) -> None:
    """A single one takes from its pods all that it does not name, where everybody else may do anything."""
    policies = list(rendered.of("NetworkPolicy"))
    everyone = [policy for policy in policies if policy["spec"]["podSelector"] == {}]
    assert len(everyone) == (2 if policies else 0), "what is denied to all, and names for all"


def test_every_pod_may_reach_something_where_policies_are(rendered: Manifests) -> None:
    policies = {found["metadata"]["name"] for found in rendered.of("NetworkPolicy")}
    apps = {pod.labels["app"] for pod in rendered.pods()}
    assert not policies or apps <= policies


def destinations(rule: Object) -> Iterator[dict[str, str]]:
    """Labels of the pods that a rule lets out to."""
    return (peer["podSelector"]["matchLabels"] for peer in rule.get("to", []) if "podSelector" in peer)


def test_whoever_may_go_out_is_let_in(rendered: Manifests) -> None:
    """An egress rule without the ingress rule at its other end opens nothing."""
    policies = {found["metadata"]["name"]: found["spec"] for found in rendered.of("NetworkPolicy")}
    for name, spec in policies.items():
        for target in (target["app"] for rule in spec.get("egress", []) for target in destinations(rule)):
            anyone = any("from" not in rule for rule in policies[target]["ingress"])
            let_in = [
                peer["podSelector"]["matchLabels"]["app"]
                for rule in policies[target]["ingress"]
                for peer in rule.get("from", [])
                if "podSelector" in peer
            ]
            assert anyone or name in let_in, f"{target} does not let {name} in"
