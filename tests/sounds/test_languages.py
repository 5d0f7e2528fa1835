"""Danish, Polish and Chinese: the words in their right order, every number readable, every part audible."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from sounds import languages, spoken
from sounds.catalogue import SHIPPED, Catalogue

CATALOGUE = Catalogue([SHIPPED])
TEXTS = {code: CATALOGUE.texts(code) for code in languages.codes()}
AUDIBLE = {code: frozenset(CATALOGUE.names(code)) for code in languages.codes()}
OTHERS = st.sampled_from(["da", "pl", "zh"])
NUMBERS = st.one_of(st.integers(0, 999_999_999), st.integers(0, 12_000), st.sampled_from([10**n for n in range(9)]))
OFFICE = [(time(9), time(12)), (time(12, 30), time(17))]
ALL_DAY = [(time(0), time(0))]
NOW = datetime(2026, 3, 6, 18, 0)


def words(names: list[str], code: str) -> str:
    assert set(names) <= AUDIBLE[code]
    return ("" if code == "zh" else " ").join(TEXTS[code][name] for name in names if name != "pause")


@pytest.mark.parametrize(
    ("value", "da", "pl", "zh"),
    [
        (0, "nul", "zero", "零"),
        (1, "et", "jeden", "一"),
        (2, "to", "dwa", "二"),
        (10, "ti", "dziesięć", "十"),
        (12, "tolv", "dwanaście", "十二"),
        (20, "tyve", "dwadzieścia", "二十"),
        (21, "enog tyve", "dwadzieścia jeden", "二十一"),
        (55, "femog halvtreds", "pięćdziesiąt pięć", "五十五"),
        (99, "niog halvfems", "dziewięćdziesiąt dziewięć", "九十九"),
        (100, "et hundrede", "sto", "一百"),
        (101, "et hundrede og et", "sto jeden", "一百零一"),
        (112, "et hundrede og tolv", "sto dwanaście", "一百一十二"),
        (200, "to hundrede", "dwieście", "二百"),
        (365, "tre hundrede og femog tres", "trzysta sześćdziesiąt pięć", "三百六十五"),
        (1000, "et tusind", "tysiąc", "一千"),
        (1005, "et tusind og fem", "tysiąc pięć", "一千零五"),
        (1050, "et tusind og halvtreds", "tysiąc pięćdziesiąt", "一千零五十"),
        (2000, "to tusind", "dwa tysiące", "两千"),
        (5000, "fem tusind", "pięć tysięcy", "五千"),
        (12_000, "tolv tusind", "dwanaście tysięcy", "一万二千"),
        (20_000, "tyve tusind", "dwadzieścia tysięcy", "两万"),
        (21_000, "enog tyve tusind", "dwadzieścia jeden tysięcy", "两万一千"),
        (22_000, "toog tyve tusind", "dwadzieścia dwa tysiące", "两万二千"),
        (10_500, "ti tusind fem hundrede", "dziesięć tysięcy pięćset", "一万零五百"),
        (203_000, "to hundrede og tre tusind", "dwieście trzy tysiące", "二十万三千"),
        (1_000_000, "en million", "milion", "一百万"),
        (2_000_001, "to millioner og et", "dwa miliony jeden", "二百万零一"),
        (105_000_000, "et hundrede og fem millioner", "sto pięć milionów", "一亿零五百万"),
        (100_005_000, "et hundrede millioner fem tusind", "sto milionów pięć tysięcy", "一亿零五千"),
        (-3, "minus tre", "minus trzy", "负三"),
    ],
)
def test_numbers(value: int, da: str, pl: str, zh: str) -> None:
    said = [words(spoken.number(value, code), code) for code in ("da", "pl", "zh")]
    assert said == [da, pl, zh]


UNITS = {"十": 10, "百": 100, "千": 1000}
FIGURES = {**{sign: n for n, sign in enumerate("零一二三四五六七八九")}, "两": 2}


def read_chinese(text: str) -> int:
    """Hundreds of millions, then ten thousands, then the rest, each read by itself."""
    value = 0
    for sign, size in (("亿", 100_000_000), ("万", 10_000), ("", 1)):
        head, found, tail = text.partition(sign) if sign else (text, "", "")
        if not sign or found:
            value += read_group(head) * size
            text = tail
    return value


def read_group(text: str) -> int:
    value = figure = 0
    for sign in text:
        if sign in UNITS:
            value += (figure or 1) * UNITS[sign]
            figure = 0
        else:
            figure = FIGURES[sign]
    return value + figure


DANISH_ONES = (
    "nul et to tre fire fem seks syv otte ni ti elleve tolv tretten fjorten femten seksten sytten atten nitten"
)
DANISH_TENS = "tyve tredive fyrre halvtreds tres halvfjerds firs halvfems"


def read_danish(text: str) -> int:
    ones = {word: n for n, word in enumerate(DANISH_ONES.split())} | {"en": 1}
    ones |= {word: n * 10 for n, word in enumerate(DANISH_TENS.split(), 2)}
    total = group = 0
    for word in text.split():
        if word == "og":
            continue
        if word == "hundrede":
            group *= 100
        elif word in ("tusind", "million", "millioner"):
            total, group = total + group * (1000 if word == "tusind" else 1_000_000), 0
        elif word.endswith("og"):
            group += ones[word[:-2]]
        else:
            group += ones[word]
    return total + group


@given(NUMBERS)
def test_every_number_is_read_back_by_somebody_who_knows_the_language(value: int) -> None:
    assert words(spoken.number(value, "pl"), "pl") == num2words(value, lang="pl")
    assert read_danish(words(spoken.number(value, "da"), "da")) == value
    assert read_chinese(words(spoken.number(value, "zh"), "zh")) == value


@given(st.integers(0, 999))
def test_danish_below_a_thousand_is_as_it_is_written(value: int) -> None:
    said = words(spoken.number(value, "da"), "da").replace(" ", "")
    # Its sixties end as its fifties do.
    assert said == re.sub("(?<!halv)treds", "tres", num2words(value, lang="da").replace(" ", ""))


@given(st.integers(0, 999_999_999))
def test_chinese_has_no_nought_too_many(value: int) -> None:
    said = words(spoken.number(value, "zh"), "zh")
    assert "零零" not in said
    assert value == 0 or not said.endswith("零")
    assert not any(pair in said for pair in ("零百", "零千", "零万", "零亿", "两十", "两百"))


@pytest.mark.parametrize(
    ("amount", "currency", "da", "pl", "zh"),
    [
        ("1", "DKK", "en krone", "jedna korona", "一丹麦克朗"),
        ("2", "DKK", "to kroner", "dwie korony", "两丹麦克朗"),
        ("21", "DKK", "enog tyve kroner", "dwadzieścia jeden koron", "二十一丹麦克朗"),
        ("22.02", "PLN", "toog tyve zloty og to grosz", "dwadzieścia dwa złote dwa grosze", "二十二兹罗提二格罗希"),
        ("5", "PLN", "fem zloty", "pięć złotych", "五兹罗提"),
        ("112", "PLN", "et hundrede og tolv zloty", "sto dwanaście złotych", "一百一十二兹罗提"),
        ("2.22", "CNY", "to yuan og toog tyve fen", "dwa juany dwadzieścia dwa feny", "两元两角二分"),
        ("5.05", "CNY", "fem yuan og fem fen", "pięć juanów pięć fenów", "五元零五分"),
        ("5.50", "CNY", "fem yuan og halvtreds fen", "pięć juanów pięćdziesiąt fenów", "五元五角"),
        ("0.02", "CNY", "to fen", "dwa feny", "两分"),
        ("1", "EUR", "en euro", "jedno euro", "一欧元"),
        ("1.01", "GBP", "et pund og en penny", "jeden funt jeden pens", "一英镑一便士"),
        (
            "-2.5",
            "USD",
            "minus to dollar og halvtreds cent",
            "minus dwa dolary pięćdziesiąt centów",
            "负两美元五十美分",
        ),
        ("0", "EUR", "nul euro", "zero euro", "零欧元"),
    ],
)
def test_money(amount: str, currency: str, da: str, pl: str, zh: str) -> None:
    said = [words(spoken.money(Decimal(amount), currency, code), code) for code in ("da", "pl", "zh")]
    assert said == [da, pl, zh]


@pytest.mark.parametrize(
    ("moment", "da", "pl", "zh"),
    [
        (time(9), "klokken ni", "godzina dziewiąta", "上午九点"),
        (time(9, 5), "klokken ni nul fem", "godzina dziewiąta zero pięć", "上午九点零五分"),
        (time(12, 30), "klokken tolv tredive", "godzina dwunasta trzydzieści", "中午十二点三十分"),
        (time(14), "klokken fjorten", "godzina czternasta", "下午两点"),
        (time(22, 22), "klokken toog tyve toog tyve", "godzina dwudziesta druga dwadzieścia dwa", "晚上十点二十二分"),
        (time(0, 30), "klokken nul tredive", "godzina zero trzydzieści", "凌晨零点三十分"),
        (time(0), "midnat", "północ", "午夜十二点"),
    ],
)
def test_times(moment: time, da: str, pl: str, zh: str) -> None:
    assert [words(spoken.time(moment, code), code) for code in ("da", "pl", "zh")] == [da, pl, zh]


@pytest.mark.parametrize(
    ("code", "day", "said"),
    [
        ("da", date(2026, 12, 25), "fredag den femogtyvende december to tusind og seksog tyve"),
        ("da", date(1996, 1, 1), "mandag den første januar nitten hundrede og seksog halvfems"),
        ("pl", date(2026, 12, 25), "piątek dwudziestego piątego grudnia dwa tysiące dwudziestego szóstego roku"),
        ("pl", date(2000, 3, 31), "piątek trzydziestego pierwszego marca dwutysięcznego roku"),
        ("pl", date(1900, 5, 3), "czwartek trzeciego maja tysiąc dziewięćsetnego roku"),
        ("zh", date(2026, 12, 25), "二零二六年十二月二十五号星期五"),
    ],
)
def test_dates(code: str, day: date, said: str) -> None:
    assert words(spoken.date(day, code, weekday=True, year=True), code) == said


@pytest.mark.parametrize(
    ("minutes", "da", "pl", "zh"),
    [
        (1, "et minut", "jedna minuta", "一分钟"),
        (2, "to minutter", "dwie minuty", "两分钟"),
        (5, "fem minutter", "pięć minut", "五分钟"),
        (12, "tolv minutter", "dwanaście minut", "十二分钟"),
        (22, "toog tyve minutter", "dwadzieścia dwie minuty", "二十二分钟"),
        (60, "en time", "jedna godzina", "一小时"),
        (122, "to timer og to minutter", "dwie godziny i dwie minuty", "两小时零二分钟"),
        (1320, "toog tyve timer", "dwadzieścia dwie godziny", "二十二小时"),
    ],
)
def test_durations(minutes: int, da: str, pl: str, zh: str) -> None:
    assert [words(spoken.duration(minutes, code), code) for code in ("da", "pl", "zh")] == [da, pl, zh]


def test_a_place_in_the_queue_and_digits() -> None:
    assert words(spoken.position(2, "zh"), "zh") == "您目前排在第二位。"
    assert words(spoken.position(1, "da"), "da") == "Du er den næste i køen."
    assert words(spoken.position(12, "pl"), "pl") == "Państwa miejsce w kolejce to numer dwanaście"
    assert words(spoken.digits("+45 112#", "zh"), "zh") == "加号四五幺幺二井号"


@pytest.mark.parametrize(
    ("least", "most", "da", "pl", "zh"),
    [
        (0, 1, "er under et minut", "to mniej niż jedna minuta", "不到一分钟"),
        (0, 2, "er under to minutter", "to mniej niż dwie minuty", "不到两分钟"),
        (2, 4, "er mellem to og fire minutter", "to co najmniej dwie a najwyżej cztery minuty", "为两到四分钟"),
        (5, 5, "er cirka fem minutter", "to mniej więcej pięć minut", "约为五分钟"),
        (
            40,
            60,
            "er mellem fyrre minutter og en time",
            "to co najmniej czterdzieści minut a najwyżej jedna godzina",
            "为四十分钟到一小时",
        ),
    ],
)
def test_a_wait_as_a_range(least: int, most: int, da: str, pl: str, zh: str) -> None:
    said = [words(spoken.wait_between(least, most, code), code) for code in ("da", "pl", "zh")]
    assert said == [f"Den forventede ventetid {da}", f"Przewidywany czas oczekiwania {pl}", f"预计等候时间{zh}"]


def test_a_week_of_office_hours() -> None:
    week = {**dict.fromkeys(range(4), OFFICE), 4: [(time(8), time(0))]}
    assert words(spoken.week(week, "da"), "da") == (
        "Vi har åbent mandag til torsdag fra klokken ni til klokken tolv og fra klokken tolv tredive til klokken sytten "
        "og fredag fra klokken otte til midnat Vi har lukket lørdag og søndag"
    )
    assert words(spoken.week(week, "pl"), "pl") == (
        "Nasze biuro jest czynne od poniedziałku do czwartku od dziewiątej do dwunastej i od dwunastej trzydzieści do "
        "siedemnastej i w piątek od ósmej do północy Nasze biuro jest zamknięte w sobotę i w niedzielę"
    )
    assert words(spoken.week(week, "zh"), "zh") == (
        "我们的营业时间是星期一到星期四从上午九点到中午十二点和从中午十二点三十分到下午五点星期五从上午八点到午夜十二点"
        "星期六和星期日休息。"
    )


def test_reopening() -> None:
    soon, far = datetime(2026, 3, 9, 9, 0), datetime(2026, 3, 16, 0, 0)
    assert words(spoken.reopening(soon, NOW, "da"), "da") == "Vi har åbent igen på mandag klokken ni"
    assert words(spoken.reopening(far, NOW, "da"), "da") == "Vi har åbent igen mandag den sekstende marts ved midnat"
    assert words(spoken.reopening(soon, NOW, "pl"), "pl") == "Ponownie otwieramy w poniedziałek o godzinie dziewiątej"
    assert (
        words(spoken.reopening(far, NOW, "pl"), "pl") == "Ponownie otwieramy w poniedziałek szesnastego marca o północy"
    )
    assert words(spoken.reopening(soon, NOW, "zh"), "zh") == "我们将于星期一上午九点重新营业。"


def test_holidays() -> None:
    assert words(spoken.holiday("Second Day of Christmas", "da"), "da").endswith("på grund af anden juledag.")
    assert words(spoken.holiday("Corpus Christi", "pl"), "pl").endswith("Boże Ciało.")
    assert words(spoken.holiday("Chinese New Year (Spring Festival)", "zh"), "zh") == (
        "感谢您的来电。今天是春节我们休息。"
    )


@given(OTHERS, st.integers(-(10**12), 10**12), st.decimals(-(10**6), 10**6, places=3), st.times(), st.dates())
def test_every_value_is_audible(code: str, value: int, amount: Decimal, moment: time, day: date) -> None:
    said = [
        spoken.number(value, code),
        spoken.ordinal(abs(value) % 40, code),
        spoken.position(abs(value) % 100_000, code),
        spoken.duration(abs(value) % 10_000, code),
        spoken.wait(abs(value) % 10_000, code),
        spoken.wait_between(abs(value) % 70, abs(value) % 700, code),
        spoken.time(moment, code),
        spoken.date(day, code, weekday=True, year=True),
        *(spoken.money(amount, currency, code) for currency in languages.CURRENCIES),
    ]
    for names in said:
        assert names
        assert set(names) <= AUDIBLE[code]


@given(OTHERS, st.dictionaries(st.integers(0, 6), st.lists(st.tuples(st.times(), st.times()), max_size=3)), st.text())
def test_every_week_and_holiday_is_audible(code: str, openings: dict[int, Any], text: str) -> None:
    for names in (spoken.week(openings, code), spoken.holiday(text, code)):
        assert names
        assert set(names) <= AUDIBLE[code]
    assert set(spoken.digits(text, code)) <= AUDIBLE[code]


@pytest.mark.parametrize("code", ["da", "pl", "zh"])
def test_names_lists_nothing_that_is_never_said(code: str) -> None:
    language = languages.of(code)
    said: set[str] = set()
    for value in [*range(1100), -1, 10**4, 2 * 10**4, 10**6, 2 * 10**6, 5 * 10**6, 10**8]:
        said |= set(language.number(value))
    for minute in range(1440):
        moment = time(minute // 60, minute % 60)
        said |= {*language.time(moment), *language.duration(minute), *language.hours([(moment, time(0))])}
    for offset in range(366):
        day = date.fromordinal(date(2024, 1, 1).toordinal() + offset)
        said |= set(language.date(day, weekday=True))
    for year in range(1000, 2030):
        said |= set(language.date(date(year, 1, 1), year=True))
    said |= {*language.digits("0123456789*#+"), *language.position(1), *language.position(2), *language.wait(0)}
    said |= {*language.wait(5), *language.wait_between(2, 4)}
    for week in ({}, {0: OFFICE}, dict.fromkeys(range(7), ALL_DAY), dict.fromkeys(range(7), OFFICE), {0: ALL_DAY}):
        said |= set(language.week(week))
    said |= {name for day in range(7) for name in language.week({day: OFFICE})}
    said |= {name for first in range(6) for name in language.week(dict.fromkeys(range(first, 7), OFFICE))}
    said |= {name for last in range(2, 7) for name in language.week(dict.fromkeys(range(last), OFFICE))}
    for day in range(6, 32):
        for hour in (0, 9):
            said |= set(language.reopening(datetime(2026, 3, day, hour), NOW))
            said |= set(language.reopening(datetime(2026, 3, day, hour), datetime(2026, 3, 9)))
    for holiday in (*(name.removeprefix("holiday_").replace("_", " ") for name in language.names()), "unknown"):
        said |= set(language.holiday(holiday))
    for currency in languages.CURRENCIES:
        for amount in ("0.01", "0.02", "0.05", "0.50", "1", "2", "5"):
            said |= set(language.money(Decimal(amount), currency))
    assert said == language.names()


def test_a_language_without_a_module_is_spoken_as_english() -> None:
    assert spoken.number(21, "sv") == ["number_20", "number_1"]
    assert spoken.number(21, "da-DK") == ["ones_1", "number_20"]
