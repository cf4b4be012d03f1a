"""What a password child answers."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from mystic_server.accounts.messages import Hashed, HashWork, Verified, VerifyWork
from mystic_server.accounts.worker import LANES, MEMORY_KIB, ROUNDS, Worker

QUICK = PasswordHasher(2, 64, 1)


@pytest.fixture
def worker() -> Worker:
    return Worker(QUICK)


def hashed(worker: Worker, password: str) -> str:
    said = worker.answer(HashWork(1, password))
    assert isinstance(said, Hashed)
    return said.hash


def is_right(worker: Worker, hash: str, password: str) -> bool:
    said = worker.answer(VerifyWork(2, password, hash))
    assert isinstance(said, Verified)
    return said.is_right


def test_a_hash_is_of_its_password_alone(worker: Worker) -> None:
    hash = hashed(worker, "correct horse")
    assert is_right(worker, hash, "correct horse")
    assert not is_right(worker, hash, "correct horsf")
    assert not is_right(worker, hash, "")


def test_two_hashes_of_one_password_differ(worker: Worker) -> None:
    assert hashed(worker, "correct horse") != hashed(worker, "correct horse")


def test_nobodys_password_is_never_right(worker: Worker) -> None:
    assert not is_right(worker, "", "")
    assert not is_right(worker, "", "correct horse")


@pytest.mark.parametrize("damaged", ["plain", "$argon2id$v=19$m=64,t=2,p=1$AAAA", "$argon2id$", "\0"])
def test_a_damaged_hash_is_nobodys(worker: Worker, damaged: str) -> None:
    assert not is_right(worker, damaged, "correct horse")


def test_one_password_may_be_typed_in_several_sequences_of_code_points(worker: Worker) -> None:
    assert is_right(worker, hashed(worker, "cafe\u0301 au lait"), "caf\u00e9 au lait")


def test_a_hash_of_less_cost_is_renewed_with_the_right_password_only(worker: Worker) -> None:
    weak = PasswordHasher(1, 64, 1).hash("correct horse")
    said = worker.answer(VerifyWork(1, "correct horse", weak))
    assert isinstance(said, Verified) and said.is_right
    assert is_right(worker, said.renewed, "correct horse") and "t=2" in said.renewed
    assert worker.answer(VerifyWork(2, "wrong horse", weak)) == Verified(2, False)
    assert worker.answer(VerifyWork(3, "correct horse", said.renewed)) == Verified(3, True)


def test_the_costs_are_those_that_owasp_recommends_at_least() -> None:
    hash = PasswordHasher(ROUNDS, MEMORY_KIB, LANES).hash("correct horse")
    assert hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
