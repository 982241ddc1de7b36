"""What an administrator sees, and nobody else."""

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import expect

from db.database import libpq_url
from tests.acceptance.house import TABLE, House
from tests.web.visitor import START, Visitor


@pytest.fixture(scope="module")
def _admins_tab(web_house: House, _tab: Visitor) -> Iterator[Visitor]:
    def becomes(role: str) -> None:
        with psycopg.connect(libpq_url(web_house.database_url), autocommit=True) as connection:
            connection.execute("UPDATE users SET role = %s WHERE email = %s", [role, _tab.email])
        _tab.page.reload()

    becomes("admin")
    yield _tab
    _tab.goes_to("/new")  # what an operator's page asks would be refused, and that be heard in the test after this one
    _tab.sees(START)
    becomes("customer")
    _tab.sees(START)


@pytest.fixture
def admin(_admins_tab: Visitor, regular: Visitor) -> Visitor:
    regular.goes_to("/tasks")
    regular.page.get_by_role("link", name="Operator").click()
    regular.sees("Operator")
    return regular


def _opens(admin: Visitor, title: str) -> None:
    admin.page.get_by_role("navigation", name="Operator").get_by_role("link", name=title).click()


def test_workers_and_what_they_do_are_seen(admin: Visitor) -> None:
    expect(admin.page.get_by_test_id("slots")).to_have_text("0 of 1")
    task_id = admin.submit("probe", TABLE, parameters={"first": {"act": "wait", "seconds": 60}})
    expect(admin.page.get_by_test_id("slots")).to_have_text("1 of 1", timeout=15_000)
    expect(admin.page.get_by_text(admin.email)).to_be_visible()
    _opens(admin, "Tasks")
    expect(admin.page.get_by_role("cell", name=task_id)).to_be_visible()
    admin.goes_to(f"/tasks/{task_id}")
    admin.button("Cancel").click()
    admin.sees_state("Cancelled")
    admin.is_content()


def test_failures_are_retried_in_bulk_after_a_look(admin: Visitor) -> None:
    task_id = admin.submit("probe", TABLE, parameters={"first": {"act": "bug"}})
    admin.goes_to(f"/tasks/{task_id}")
    admin.sees_state("Failed")
    admin.goes_to("/operator/failures")
    admin.button("Retry INTERNAL_ERROR probe").click()
    expect(admin.page.get_by_test_id("replays")).to_contain_text("Would be retried: 1")
    admin.button("Retry them").click()
    expect(admin.page.get_by_test_id("replays")).to_contain_text("Retried: 1")
    admin.is_content()


def test_the_ledger_is_proven_on_the_page(admin: Visitor) -> None:
    _opens(admin, "Proof")
    admin.button("Prove the ledger").click()
    expect(admin.page.get_by_test_id("proof")).to_contain_text("holds", timeout=20_000)
    _opens(admin, "Customers and tools")
    expect(admin.page.get_by_role("heading", name="Customers", exact=True)).to_be_visible()
    admin.is_content()


def test_a_customer_is_not_offered_the_operators_page(customer: Visitor) -> None:
    expect(customer.page.get_by_role("link", name="Operator")).to_be_hidden()
    customer.goes_to("/operator")
    expect(customer.page.get_by_role("alert")).to_be_visible()
    customer.is_content(but_for="403")
