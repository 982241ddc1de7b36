from hall_client import Customer, problem_of

from db.database import transaction


def test_a_crowd_waits_for_its_turn_and_nobody_is_turned_away(customer: Customer) -> None:
    """More requests than threads, more threads than connections: nobody may hold one and wait for the other."""
    asked = [("GET", "/tasks", {"headers": customer.headers}) for _ in range(80)]

    answers = customer.hall.together(*asked)

    assert {answer.status_code for answer in answers} == {200}


def test_a_customer_who_is_removed_is_signed_out_at_once(customer: Customer) -> None:
    from sqlalchemy import text

    with transaction() as session:
        for table in ("credit_entries", "credit_wallets", "lanes", "users"):
            column = "id" if table == "users" else "user_id"
            session.execute(text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": customer.id})

    problem_of(customer.get("/tasks"), 401)
