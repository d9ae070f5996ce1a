"""What every release of the chart promises, for each set of values in charts/foothold/ci."""

from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate
import pytest

from launcher.targets import LAUNCHERS_OWN, known_names, module_of
from tests.charts.conftest import CHART, VALUES, Manifest, render, run_helm

TARGETS = ["gateway", "goals", "identity", "incentives", "training"]
SERVICES = [target for target in TARGETS if target != "gateway"]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def component(manifest: Manifest) -> str:
    return str(manifest["metadata"]["labels"]["app.kubernetes.io/component"])


def pods(manifests: list[Manifest]) -> Iterator[Manifest]:
    for manifest in of_kind(manifests, "Deployment") + of_kind(manifests, "Job"):
        yield manifest["spec"]["template"]


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_helm_finds_nothing_to_complain_about(values: Path) -> None:
    done = run_helm("lint", "--strict", str(CHART), "--values", str(values))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", ["1.27.0", "1.32.0", "1.36.0"])
def test_every_manifest_is_valid_kubernetes(manifests: list[Manifest], version: str) -> None:
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_each_target_is_deployed_and_served_once(manifests: list[Manifest]) -> None:
    for kind in ("Deployment", "Service"):
        assert sorted(map(component, of_kind(manifests, kind))) == TARGETS
    for deployment in of_kind(manifests, "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["args"] == ["serve", f"--target={component(deployment)}"]


def test_services_select_exactly_the_pods_of_their_target(manifests: list[Manifest]) -> None:
    labels = {
        component(each): each["spec"]["template"]["metadata"]["labels"]
        for each in of_kind(manifests, "Deployment")
    }
    for service in of_kind(manifests, "Service"):
        selected = [
            target
            for target, carried in labels.items()
            if service["spec"]["selector"].items() <= carried.items()
        ]
        assert selected == [component(service)]


def test_no_browser_has_to_stay_with_one_gateway(manifests: list[Manifest]) -> None:
    # By client address a whole office, or everybody behind an ingress, would be sent to one pod.
    assert all("sessionAffinity" not in service["spec"] for service in of_kind(manifests, "Service"))


def test_services_are_probed_over_grpc_and_the_gateway_over_http(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        way = "httpGet" if component(deployment) == "gateway" else "grpc"
        assert way in container["readinessProbe"]
        assert way in container["startupProbe"]
        assert container["livenessProbe"]


def test_migrations_run_before_anything_else_with_each_service_in_its_own_database(
    manifests: list[Manifest],
) -> None:
    (job,) = of_kind(manifests, "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    containers = job["spec"]["template"]["spec"]["containers"]
    assert sorted(container["name"] for container in containers) == SERVICES
    for container in containers:
        assert container["args"] == ["migrate", f"--target={container['name']}"]
        mounted = {mount["name"] for mount in container["volumeMounts"]} & set(SERVICES)
        assert mounted == {container["name"]}
        named = {variable["name"] for variable in container["env"]} - {"FOOTHOLD_ADMIN_DATABASE_URL"}
        assert named == {f"FOOTHOLD_{container['name'].upper()}_DATABASE_URL_FILE"}


def test_no_pod_may_do_more_than_it_must(manifests: list[Manifest]) -> None:
    for pod in pods(manifests):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_secrets_come_by_name_as_files_and_never_as_values(manifests: list[Manifest]) -> None:
    assert not of_kind(manifests, "Secret")
    for pod in pods(manifests):
        for container in pod["spec"]["containers"]:
            for variable in container["env"]:
                if "valueFrom" in variable:
                    assert set(variable["valueFrom"]) == {"secretKeyRef"}
                    continue
                secret = any(word in variable["name"] for word in ("DATABASE", "KEY", "SECRET", "TOKEN"))
                assert not secret or variable["name"].endswith("_FILE"), variable
                assert "postgresql" not in variable["value"]


def test_only_identity_can_sign_and_only_the_gateway_holds_its_secrets(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        (volume,) = [
            each for each in deployment["spec"]["template"]["spec"]["volumes"] if each["name"] == "secrets"
        ]
        keys = {
            item["key"] for source in volume["projected"]["sources"] for item in source["secret"]["items"]
        }
        target = component(deployment)
        expected = {"verifying_keys.pem"}
        expected |= {"signing_key.pem"} if target == "identity" else {f"component_{target}.token"}
        expected |= {"cookie_secret"} if target == "gateway" else {target}
        webhook = {"webhook_secret", "webhook.token"} if target == "gateway" else set()
        assert keys - webhook == expected


def test_each_process_knows_where_the_others_are(manifests: list[Manifest]) -> None:
    ports = {
        each["metadata"]["name"]: each["spec"]["ports"][0]["port"] for each in of_kind(manifests, "Service")
    }
    for deployment in of_kind(manifests, "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        addresses = {
            each["name"]: each["value"] for each in container["env"] if each["name"].endswith("_ADDRESS")
        }
        expected = {
            f"FOOTHOLD_{other.upper()}_ADDRESS" for other in SERVICES if other != component(deployment)
        }
        assert set(addresses) == expected
        for address in addresses.values():
            host, port = address.split(":")
            assert ports[host] == int(port)


def test_the_network_is_closed_but_for_what_a_process_needs(manifests: list[Manifest]) -> None:
    policies = {component(policy): policy["spec"] for policy in of_kind(manifests, "NetworkPolicy")}
    assert sorted(policies) == TARGETS
    for target, policy in policies.items():
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        reaches_database = any(
            port["port"] == 5432
            for rule in policy["egress"]
            for port in rule["ports"]  # the chart's default
        )
        assert reaches_database == (target != "gateway")


def test_a_scaled_component_leaves_its_replicas_to_the_autoscaler() -> None:
    (values,) = [path for path in VALUES if path.stem == "enterprise-values"]
    manifests = render(values)
    scaled = {component(each) for each in of_kind(manifests, "HorizontalPodAutoscaler")}
    assert scaled == {"goals", "gateway"}
    for deployment in of_kind(manifests, "Deployment"):
        assert ("replicas" in deployment["spec"]) == (component(deployment) not in scaled)


def test_a_digest_pins_the_image() -> None:
    (values,) = [path for path in VALUES if path.stem == "enterprise-values"]
    images = {container["image"] for pod in pods(render(values)) for container in pod["spec"]["containers"]}
    assert images == {"registry.example.com/platform/foothold@sha256:" + "0123456789abcdef" * 4}


def test_each_process_is_given_every_setting_it_needs_and_none_that_nobody_knows(
    manifests: list[Manifest],
) -> None:
    known_to_any = LAUNCHERS_OWN.union(*map(known_names, TARGETS))
    for pod in pods(manifests):
        for container in pod["spec"]["containers"]:
            assert {variable["name"] for variable in container["env"]} <= known_to_any
    for deployment in of_kind(manifests, "Deployment"):
        target = component(deployment)
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        given = {variable["name"].removesuffix("_FILE") for variable in container["env"]}
        fields = module_of(target).Settings.model_fields
        needed = {f"FOOTHOLD_{name.upper()}" for name, field in fields.items() if field.is_required()}
        assert needed <= given
