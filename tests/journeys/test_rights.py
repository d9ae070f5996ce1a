"""A right that is taken away is gone from the screen that shows what it opened."""

import pytest
from foothold.identity.v1 import access_pb2, access_pb2_grpc, directory_pb2, directory_pb2_grpc
from playwright.sync_api import Browser, expect

from chassis.ids import new_id
from launcher.demo.accounts import PASSWORD
from tests.platform import Platform

pytestmark = pytest.mark.browser


def test_the_team_leaves_the_screen_of_who_is_no_longer_its_manager(
    platform_all: Platform, browser: Browser
) -> None:
    channel = platform_all.channel("identity")
    directory = directory_pb2_grpc.DirectoryServiceStub(channel)
    access = access_pb2_grpc.AccessServiceStub(channel)
    nodes = directory.ListNodes(directory_pb2.ListNodesRequest(page_size=1000)).nodes
    department = next(node for node in nodes if node.kind == directory_pb2.NODE_KIND_DEPARTMENT)
    login = f"deputy-{new_id()[-8:]}"
    person = directory_pb2.Person(
        parent_id=department.id, name="代理经理", employee_number=login, login=login, job_role="manager"
    )
    made = directory.CreatePerson(
        directory_pb2.CreatePersonRequest(request_id=new_id(), person=person, password=PASSWORD)
    ).person
    binding = access_pb2.Binding(role_id="department_manager", subject_id=made.id, node_id=department.id)
    bound = access.CreateBinding(
        access_pb2.CreateBindingRequest(request_id=new_id(), binding=binding)
    ).binding

    context = browser.new_context(base_url=platform_all.web)
    context.add_cookies([{"name": "language", "value": "zh", "url": platform_all.web}])
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.click("form .primary")
    expect(page.locator("#team")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-live", "open")
    access.DeleteBinding(access_pb2.DeleteBindingRequest(request_id=new_id(), binding_id=bound.id))
    # Without a touch: the page hears that it shows too much, loads again, and is not open to its reader.
    expect(page.locator("#team")).to_have_count(0, timeout=5_000)
    expect(page.locator("main")).to_contain_text("这里不对你开放")
    context.close()
