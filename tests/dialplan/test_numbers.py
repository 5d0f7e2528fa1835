"""Numbers in every spelling, and what is none."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplan.numbers import display, normalise, same


@pytest.mark.parametrize(
    "text",
    [
        "+4532101010", "32 10 10 10", "32-10-10-10", "0045 32101010", "4532101010", "+45 (32) 10 10 10", "tel:+4532101010",
        "sip:32101010@pbx.example:5060;transport=udp", " ３２１０１０１０ ", "32\u00a010\u00a010\u00a010", "32–10–10–10",
        "٣٢١٠١٠١٠",
    ],
)  # fmt: skip
def test_spellings_of_one_number(text):
    assert normalise(text, "DK") == "+4532101010"
    assert same(text, "+45 32 10 10 10", "DK")


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("442079460000", "DK", "+442079460000"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("00442079460000", "DK", "+442079460000"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("06 698 12345", "IT", "+390669812345"),
        ("5000", "DK", "5000"),
        ("1001", "DK", "1001"),
        ("*97", "DK", "*97"),
        ("112", "DK", "112"),
        ("sip:1001@127.0.0.1", "DK", "1001"),
    ],
)
def test_abroad_and_inside(text, country, number):
    assert normalise(text, country) == number


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "anonymous", "Anonymous", "unknown", "sip:anonymous@anonymous.invalid", "Bob 32101010", "+", "+++", "()",
        "32101010\r\nEvent: evil", "${system(ls)}", "3210\x001010", "9" * 79, "9" * 5000, "+45" * 30, "0" * 20,
        "12345678901234567", "1-800-FLOWERS", "😀😀😀😀😀😀😀",
    ],
)  # fmt: skip
def test_what_is_no_number(text):
    assert normalise(text, "DK") == ""
    assert not same(text, text, "DK")


@pytest.mark.parametrize(
    ("number", "country", "shown"),
    [
        ("+4532101010", "DK", "32 10 10 10"),
        ("+4532101010", "SE", "+45 32 10 10 10"),
        ("5000", "DK", "5000"),
        ("", "DK", ""),
    ],
)
def test_display(number, country, shown):
    assert display(number, country) == shown


regions = sorted(phonenumbers.SUPPORTED_REGIONS)


@pytest.mark.parametrize("region", regions)
def test_every_country_keeps_its_numbers(region):
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        international = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        assert normalise(number, "DK") == normalise(international, region) == number
        assert normalise(display(number, region), region) == number


@given(st.text(max_size=120), st.sampled_from(["DK", "US", "GB", "IT", "AR"]))
def test_nothing_hurts_and_twice_is_once(text, country):
    once = normalise(text, country)
    assert normalise(once, country) == once
    assert all(sign.isascii() and sign.isprintable() for sign in once)
    assert isinstance(display(once, country), str)


@given(st.text("0123456789+()-. /", max_size=30), st.sampled_from(["DK", "US", "GB", "IT", "AR", "DE"]))
def test_what_is_kept_is_kept_for_good(text, country):
    once = normalise(text, country)
    assert normalise(once, country) == once
