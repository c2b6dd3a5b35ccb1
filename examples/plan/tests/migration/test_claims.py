"""What the shop alone claims of its migration, beside the suites that the harness ships."""

import psycopg


def test_a_customer_is_found_by_an_address_in_capitals(harness_target: str) -> None:
    with psycopg.connect(harness_target) as conn:
        query = "SELECT id, email FROM app.customers ORDER BY id LIMIT 1"
        customer, email = conn.execute(query).fetchone() or (None, "")
        found = conn.execute(
            "SELECT id FROM app.customers WHERE email_key = lower(%s)", [email.upper()]
        ).fetchall()
        assert (customer,) in found
