import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from storemon.records.leases import Leases

LONG, OVER = timedelta(minutes=1), timedelta()


@pytest.fixture
def leases(records: Engine) -> Leases:
    return Leases(records)


def test_one_owner_has_a_lease_and_renews_it(leases: Leases) -> None:
    assert leases.take("moving", "us", LONG)
    assert not leases.take("moving", "them", LONG)
    assert leases.take("moving", "us", LONG)
    assert leases.take("another", "them", LONG)


def test_one_that_ran_out_is_anybodys(leases: Leases) -> None:
    assert leases.take("moving", "us", OVER)
    assert leases.take("moving", "them", LONG)
    assert not leases.take("moving", "us", LONG)
    assert not leases.release("moving", "us")
    assert not leases.take("moving", "us", LONG)


def test_it_runs_out_by_itself(leases: Leases) -> None:
    assert leases.take("moving", "us", timedelta(milliseconds=200))
    ends_at = time.monotonic() + 30
    while not leases.take("moving", "them", LONG):
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def test_one_that_was_let_go_is_anybodys_at_once(leases: Leases) -> None:
    assert leases.take("moving", "us", LONG)
    assert leases.release("moving", "us")
    assert not leases.release("moving", "us")
    assert leases.take("moving", "them", LONG)


def test_of_many_that_want_it_at_once_one_gets_it(leases: Leases) -> None:
    with ThreadPoolExecutor(8) as pool:
        for n in range(10):
            got = list(pool.map(lambda who, n=n: leases.take(f"lease {n}", str(who), LONG), range(8)))
            assert sum(got) == 1
