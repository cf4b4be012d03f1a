"""Every way to fail has a sentence."""

from mysticproto.udp.state import Reason


def test_every_reason_has_a_sentence_of_its_own() -> None:
    sentences = [reason.sentence for reason in Reason]
    assert all(sentences) and len(set(sentences)) == len(sentences)


def test_reasons_fit_into_the_byte_of_an_abort() -> None:
    assert all(0 <= reason <= 255 for reason in Reason)
