"""An address counts once its own token came back from it."""

from mysticproto.udp.challenge import PENDING_MAX, Challenger
from tests.proto.udp.links import ENTROPY


def test_the_token_proves_the_address_and_tells_the_round_trip() -> None:
    challenger = Challenger(ENTROPY)
    challenger.sent(1, 10.0)
    assert challenger.answered(challenger.token("here"), 1, "here", 10.5) == 0.5
    assert (challenger.peer, challenger.moves) == ("here", 0)


def test_the_token_of_another_address_proves_nothing() -> None:
    challenger = Challenger(ENTROPY)
    challenger.sent(1, 10.0)
    assert challenger.answered(challenger.token("here"), 1, "there", 10.5) is None
    assert challenger.answered(bytes(8), 1, "here", 10.5) is None
    assert challenger.peer is None


def test_an_answer_to_no_challenge_proves_nothing() -> None:
    challenger = Challenger(ENTROPY)
    assert challenger.answered(challenger.token("here"), 1, "here", 10.5) is None


def test_tokens_of_a_place_that_was_left_are_worthless() -> None:
    challenger = Challenger(ENTROPY)
    challenger.sent(1, 0.0)
    old = challenger.token("home")
    challenger.answered(old, 1, "home", 0.1)
    challenger.sent(2, 1.0)
    challenger.answered(challenger.token("train"), 2, "train", 1.1)
    assert challenger.moves == 1
    challenger.sent(3, 2.0)
    assert challenger.answered(old, 3, "home", 2.1) is None


def test_it_does_not_ask_for_each_report() -> None:
    challenger = Challenger(ENTROPY)
    assert challenger.due(0.0)
    challenger.sent(1, 0.0)
    assert not challenger.due(0.05)
    assert challenger.due(0.1)


def test_tokens_can_not_be_guessed_from_other_transfers() -> None:
    assert Challenger(ENTROPY).token("here") != Challenger(bytes(32)).token("here")


def test_only_the_last_challenges_are_remembered() -> None:
    challenger = Challenger(ENTROPY)
    for pn in range(PENDING_MAX + 1):
        challenger.sent(pn, 0.0)
    assert challenger.answered(challenger.token("here"), 0, "here", 1.0) is None
    assert challenger.answered(challenger.token("here"), 1, "here", 1.0) == 1.0
