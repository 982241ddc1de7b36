import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.metrics import catalogue
from tests.deploy.commands import FLOWERS_OWN, GIBIBYTE, REQUIRED, SETTINGS, agents_memory, understood

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
EXAMPLE = yaml.safe_load((FOLDER / "secret.example.yaml").read_text(encoding="utf-8"))
SCALED = yaml.safe_load((FOLDER / "keda" / "scaledobject.yaml").read_text(encoding="utf-8"))
COMPONENT = "app.kubernetes.io/component"


def documents() -> list[dict[str, Any]]:
    """All that `kubectl apply -k` would make."""
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in KUSTOMIZATION["resources"]]
    return [document for text in texts for document in yaml.safe_load_all(text)]


FOUND = {(document["kind"], document["metadata"]["name"]): document for document in documents()}
PODS = {name: found["spec"]["template"] for (kind, name), found in FOUND.items() if kind in {"Deployment", "Job"}}
SERVE = ("api", "worker", "flower")


def container(name: str) -> dict[str, Any]:
    (found,) = PODS[name]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def in_bytes(said: str) -> int:
    return int(said[:-2]) * {"Mi": 2**20, "Gi": GIBIBYTE}[said[-2:]]


def slots() -> int:
    found = understood(container("worker")["args"])["concurrency"]
    assert isinstance(found, int)
    return found


def settings_told(name: str) -> set[str]:
    """By name, wherever they come from."""
    told = container(name)
    maps = FOUND[("ConfigMap", "agensium-settings")]["data"], EXAMPLE["stringData"]
    names = [{kind: source["name"] for kind, source in found.items()} for found in told.get("envFrom", ())]
    assert names in ([], [{"configMapRef": "agensium-settings"}, {"secretRef": EXAMPLE["metadata"]["name"]}])
    return {of["name"] for of in told.get("env", ())} | (
        {key for of in maps for key in of} if "envFrom" in told else set()
    )


def test_every_manifest_is_applied_but_the_secrets_example() -> None:
    there = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert there - set(KUSTOMIZATION["resources"]) == {"secret.example.yaml"}


def test_no_secret_is_kept_here() -> None:
    assert set(EXAMPLE["stringData"].values()) == {""}
    assert not [
        name for name in FOUND[("ConfigMap", "agensium-settings")]["data"] if re.search("KEY|SECRET|PASSWORD", name)
    ]
    assert not [kind for kind, _ in FOUND if kind == "Secret"]


@pytest.mark.parametrize("name", PODS)
def test_what_a_pod_is_told_is_a_setting_and_what_production_demands(name: str) -> None:
    told = settings_told(name)
    assert told - SETTINGS - FLOWERS_OWN == set()
    assert told >= REQUIRED | {"ENVIRONMENT"}


@pytest.mark.parametrize("name", PODS)
def test_each_command_is_one_of_ours_with_options_it_has(name: str) -> None:
    assert understood(container(name)["args"])


@pytest.mark.parametrize("name", PODS)
def test_the_image_is_ours_and_the_kustomization_names_its_version(name: str) -> None:
    assert container(name)["image"] == "agensium"
    assert [(image["name"], image["newTag"]) for image in KUSTOMIZATION["images"]] == [("agensium", "0.1.0")]


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_nobodys_and_may_nothing(name: str) -> None:
    pod, told = PODS[name]["spec"], container(name)["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert told["readOnlyRootFilesystem"] is True
    assert told["allowPrivilegeEscalation"] is False
    assert told["capabilities"] == {"drop": ["ALL"]}
    assert FOUND[("Namespace", "agensium")]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("name", PODS)
def test_a_pod_says_what_it_needs_and_what_is_the_most(name: str) -> None:
    resources = container(name)["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert in_bytes(resources["limits"]["memory"]) >= in_bytes(resources["requests"]["memory"])
    mounted = {mount["name"] for mount in container(name)["volumeMounts"]}
    assert mounted == {volume["name"] for volume in PODS[name]["spec"]["volumes"]}
    assert all("sizeLimit" in volume["emptyDir"] for volume in PODS[name]["spec"]["volumes"])


def test_a_worker_has_the_memory_for_its_agents_and_its_tables_are_not_in_it() -> None:
    assert in_bytes(container("worker")["resources"]["limits"]["memory"]) >= agents_memory(slots()) + GIBIBYTE // 2
    scratch = next(volume for volume in PODS["worker"]["spec"]["volumes"] if volume["name"] == "scratch")
    assert "medium" not in scratch["emptyDir"]


@pytest.mark.parametrize("name", SERVE)
def test_every_address_that_is_asked_or_reached_is_one_that_is_served(name: str) -> None:
    ports = {port["name"]: port["containerPort"] for port in container(name)["ports"]}
    probes = [probe for kind, probe in container(name).items() if kind.endswith("Probe")]
    assert {"startupProbe", "livenessProbe"} <= container(name).keys()
    assert all(probe["httpGet"]["port"] in ports for probe in probes if "httpGet" in probe)
    numbers = int(FOUND[("ConfigMap", "agensium-settings")]["data"]["METRICS_PORT"])
    served = {"api": 8000, "worker": numbers, "flower": 5555}
    assert list(ports.values()) == [served[name]]
    annotations = PODS[name]["metadata"].get("annotations", {})
    assert annotations.get("prometheus.io/port", str(served[name])) == str(served[name])


def test_an_outage_of_the_database_ends_nobody() -> None:
    assert container("api")["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container("worker")["livenessProbe"]["httpGet"]["path"] == "/metrics"
    assert container("worker")["startupProbe"]["exec"]["command"][-2:] == ["backend.alive", "worker"]


def test_a_pod_that_goes_has_the_time_it_needs() -> None:
    drain = float(FOUND[("ConfigMap", "agensium-settings")]["data"]["DRAIN_SECONDS"])
    assert PODS["worker"]["spec"]["terminationGracePeriodSeconds"] >= drain + 20
    grace = understood(container("api")["args"])["grace"]
    waits = int(container("api")["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert isinstance(grace, int)
    assert PODS["api"]["spec"]["terminationGracePeriodSeconds"] >= grace + waits + 5


@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_deploy_and_an_emptied_machine_leave_somebody_at_work(name: str) -> None:
    deployment = FOUND[("Deployment", name)]["spec"]
    assert deployment["replicas"] >= 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert deployment["template"]["spec"]["topologySpreadConstraints"]
    budget = FOUND[("PodDisruptionBudget", name)]["spec"]
    assert budget["selector"] == deployment["selector"]
    assert budget.get("minAvailable", 1) == budget.get("maxUnavailable", 1) == 1


@pytest.mark.parametrize("name", SERVE)
def test_who_selects_finds(name: str) -> None:
    labels = {COMPONENT: name}
    assert FOUND[("Deployment", name)]["spec"]["selector"]["matchLabels"] == labels
    assert PODS[name]["metadata"]["labels"] == labels
    if ("Service", name) in FOUND:
        assert FOUND[("Service", name)]["spec"]["selector"] == labels


def test_nobody_comes_in_who_is_not_named() -> None:
    policies = [found["spec"] for (kind, _), found in FOUND.items() if kind == "NetworkPolicy"]
    assert {"podSelector": {}, "policyTypes": ["Ingress"]} in policies
    assert all(way["from"] for policy in policies for way in policy.get("ingress", ()))


def test_workers_are_scaled_on_what_waits() -> None:
    spec = SCALED["spec"]
    assert spec["scaleTargetRef"]["name"] == FOUND[("Deployment", "worker")]["metadata"]["name"]
    (trigger,) = spec["triggers"]
    asked = set(re.findall(r"agensium_\w+", trigger["metadata"]["query"]))
    assert "agensium_waiting_cost_seconds" in asked
    assert asked <= {metric.name for metric in catalogue.API}
    assert int(trigger["metadata"]["threshold"]) == slots()
    assert spec["minReplicaCount"] >= 1  # at zero nobody would admit what comes
