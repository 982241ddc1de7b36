"""What an API key's scope allows, for every route by one rule: reading, running tasks, managing the account.

A customer who has signed in themselves has no scope: they may do all that their role may.
"""

from backend.errors import ScopeTooSmall
from db.models import Scope
from db.sign_ins import Customer

_READING = frozenset({"GET", "HEAD"})
_ASKING = frozenset({"/tasks/{task_id}/quote", "/collections/{name}/search"})  # POST, but nothing is changed
_MANAGING = ("/auth/", "/webhooks")
_OPERATING = "/admin/"  # whose reading is of every customer's


def scope_needed(method: str, path: str) -> Scope:
    """By the route's path as it is declared, its holes unfilled."""
    if path.startswith(_OPERATING):
        return Scope.MANAGE
    if method in _READING or path in _ASKING:
        return Scope.READ
    return Scope.MANAGE if path.startswith(_MANAGING) else Scope.RUN


def check_scope(customer: Customer, method: str, path: str) -> None:
    """Raises ScopeTooSmall."""
    check_covers(customer, scope_needed(method, path))


def check_covers(customer: Customer, needed: Scope) -> None:
    """Raises ScopeTooSmall: a key is asked for more than it was made for."""
    if customer.key_scope is not None and not customer.key_scope.covers(needed):
        raise ScopeTooSmall(
            f"The API key's scope is `{customer.key_scope}`; this needs `{needed}`.",
            scope=customer.key_scope,
            needed=needed,
        )


def check_signed_in(customer: Customer) -> None:
    """Raises ScopeTooSmall: a program with a key cannot do what only its customer may."""
    if customer.key_scope is not None:
        raise ScopeTooSmall("No API key may do this: sign in with POST /auth/login.", scope=customer.key_scope)
