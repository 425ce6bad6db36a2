"""What the heuristics decide and what they leave to the judge: one table per check."""

import pytest

from funreason.heuristics import heuristic_result

from .rows import TABLE
from .trips import ASKED, TRIP, row, trip


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (TRIP, True),
        ("[ get_weather('city'=Ghent)]", True),
        ("get_weather(city='Ghent'), get_weather(city='Rome')", True),
        ("get_weather(city=New York, days=3)", True),
        ("[get_weather(city='Ghent'", True),
        ("[get_weather(" + "x" * 1_000_000, True),
        ("None of the given functions can sing.", False),
        ("Sure! Which city do you mean (and when)?", False),
        ("I would call get_weather(city='Ghent') for this.", None),
        ("Here you are: [get_weather('city'=Ghent)]", None),
        ('{"name": "get_weather", "arguments": {}}', None),
        ("Here is the JSON that you want: {'name': 'get_weather'}", None),
        ("[see (1)] I do not know any of this.", None),
        ("<judge>False</judge> None of the functions can sing.", None),
        ("[]", None),
        ("", None),
        ("No.", None),
    ],
)
def test_response(answer, value):
    assert heuristic_result("response", row(answer)).value is value


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (TRIP, True),
        ("[lamp.turn_on()]", True),
        ("[get_weather(city='a ( b = c ) , d ', days=3), lamp.turn_on()]", True),
        ("[get_weather(city='it\\'s = ]', days=[1, 2])]", True),
        ("[ get_weather(city='Ghent')]", False),
        ("[get_weather(city='Ghent') ]", False),
        ("[get_weather (city='Ghent')]", False),
        ("[get_weather( city='Ghent')]", False),
        ("[get_weather(city = 'Ghent')]", False),
        ("[get_weather(city='Ghent') , lamp.turn_on()]", False),
        ("[get_weather('city'='Ghent')]", False),
        ("[get_weather(city=Ghent)]", False),
        ("[get_weather(city='Ghent', date=2024-03-05)]", False),
        ("[get_weather(city='Ghent'", False),
        ("get_weather(city='Ghent')", False),
        ("```[get_weather(city='Ghent')]```", False),
        (" [get_weather(city='Ghent')]", False),
        ("[get_weather(city='Gh' 'ent')]", False),
        ("[get_weather(city='Ghent', hourly=true)]", False),
        ("[get_weather(city='Ghent', options={'days': [1, null]})]", False),
        ("[get_weather(city='true, false', hourly=True, nullable=False)]", True),
        ("[get_weather(city='Ghent'),\n lamp.turn_on()]", None),
        ("None of the functions can sing.", None),
        ("[]", None),
    ],
)
def test_format(answer, value):
    assert heuristic_result("format", row(answer)).value is value


@pytest.mark.parametrize(
    ("answer", "query", "value"),
    [
        (TRIP, ASKED, True),
        ("[ search_train_trips('origin'=Ghent, 'destination'=Rome)]", ASKED, True),
        (trip(date="2024-03-05"), "Find train trips from Ghent to Rome on March 5th 2024.", True),
        ("[get_weather(city='Ghent', days=9)]", "How is the weather in ghent?", True),  # days may be left out
        (TRIP, "Find the train trips from Ghent.", False),  # every word is accounted for, none is a destination
        (TRIP, "Find the train trips from Ghent to the sea.", None),
        (TRIP, "Find the train trips from Ghent, please, on jazz.", None),
        ("[book_table(place='Alma', guests=40)]", "Reserve a table at Alma.", False),
        (
            "[book_table(place='Alma', guests=1)]",
            "Reserve a table at Alma.",
            None,
        ),  # there are too many ways to state a one
        ("[book_table(place='Alma', guests=4)]", "Book the hotel in Ghent.", False),  # no tool has a word of it
        ("[book_table(place='Ghent', guests=1)]", "Book the hotel in Ghent.", None),  # and nothing is made up
        ("[book_table(place='Alma', guests=4)]", "Book the room in Ghent, where the weather is fine.", None),
        ("[book_table(place='Alma', guests=4)]", "Boek de kamer in Ghênt.", None),
        (TRIP, "Find the bus trips from Ghent to Rome.", None),
        (TRIP, "Cancel the train trips from Ghent to Rome.", None),  # the same words, but another verb
        (TRIP, "Find the train trips from Ghent to Romeo.", None),
        (TRIP, "Find the train trips from Ghent to Rome and a table at Alma.", None),  # no call for the second request
        (TRIP, "Find the train trips from Ghent to Rome for 3.", None),
        (TRIP, "Find the train trips from Ghent to Rome, then a hotel.", None),
        ("[search_train_trips(origin='Ghent')]", "Find the train trips from Ghent.", None),
        ("[sing(song='Ghent')]", "Sing Ghent.", None),
        ("[lamp.turn_on()]", "Turn on the light.", None),  # `lamp` is not stated, verbs alone are no evidence
        ("No tool can do that.", ASKED, None),
    ],
)
def test_query_tool(answer, query, value):
    assert heuristic_result("query_tool", row(answer, query)).value is value


def test_a_row_without_tools_fails():
    assert heuristic_result("query_tool", row(tools=[])).value is False
    assert heuristic_result("query_tool", row(tools=[TABLE])).value is None


GOOD_COT = "I can use search_train_trips. origin is Ghent. destination is Rome."


@pytest.mark.parametrize(
    ("answer", "cot", "value"),
    [
        (TRIP, GOOD_COT, True),
        ("[ search_train_trips(origin=Ghent, destination=Rome)]", GOOD_COT, True),
        (trip(date="2024-03-05"), GOOD_COT + " date is 5 March 2024.", True),
        (trip(alerts=True), GOOD_COT + " alerts is enabled.", True),
        (trip(units="miles"), GOOD_COT + " date is not given. units is miles.", True),
        (TRIP, GOOD_COT.replace(" is Rome", ": going to Rome"), True),
        (TRIP, GOOD_COT.replace(" is Rome", ": going to Oslo. I like Rome"), None),
        (TRIP, GOOD_COT.replace("Rome", "Oslo"), False),
        (trip(date="2024-03-05"), GOOD_COT + " date is 6 March 2024.", False),
        (trip(units="miles"), GOOD_COT + " units is km.", False),
        (trip(alerts=True), GOOD_COT + " alerts is disabled.", False),
        (TRIP, GOOD_COT.replace("search_train_trips", "get_weather"), False),
        ("[book_table(place='Alma', guests=12)]", "book_table, place Alma, guests is ten.", False),
        ("[book_table(place='Alma', guests=12)]", "book_table. place: at Alma. guests: 6 people, 2 tables.", False),
        ("[book_table(place='Alma', guests=12)]", "book_table. place: at Alma. guests: 6 for 2 days.", False),
        ("[book_table(place='Alma', guests=60)]", "book_table. place: at Alma. guests: 1 an hour.", None),
        (trip(date="2024-03-05"), GOOD_COT + " date is March 5.", None),
        (trip(date="08:30"), GOOD_COT + " date is 09:30.", False),
        (TRIP, GOOD_COT.replace("search_train_trips", "the search for train trips"), None),
        (TRIP, GOOD_COT + " Or get_weather?", None),
        (TRIP, GOOD_COT + " It takes 7 hours.", None),
        (TRIP, GOOD_COT + " Wait, this is about weather.", None),
        (TRIP, GOOD_COT.replace("destination is Rome", "destination is Oslo, not Rome"), None),
        (TRIP, GOOD_COT.replace("destination is Rome", "destination is Oslo. I like Rome"), None),
        (trip(destination="Ghent"), GOOD_COT.replace("destination is Rome.", ""), None),  # stated once, needed twice
        (trip(alerts=True), GOOD_COT, None),
        (trip(alerts=True), GOOD_COT + " alerts is enabled, alerts is disabled.", None),
        (trip(destination="Rome, Italy"), GOOD_COT, None),
        (trip(date="2024-01-01"), GOOD_COT, None),  # the tool's default may be left out of the reasoning
        ("[book_table(place='Alma', guests=12)]", "book_table, place Alma, guests a dozen.", None),
        ("[get_weather(city='fr', days=2)]", "get_weather for French towns, two days.", None),
        ("[get_weather(city='Rome'), get_weather(city='Oslo')]", "I call get_weather: Rome and Oslo.", None),
        ("Nothing to call.", GOOD_COT, None),
        (TRIP, GOOD_COT.replace("destination is Rome", "destination is correctly formatted"), None),
        (TRIP, "", False),
    ],
)
def test_cot(answer, cot, value):
    assert heuristic_result("cot", row(answer, cot=cot)).value is value


@pytest.mark.parametrize(
    ("answer", "query", "value"),
    [
        (TRIP, ASKED, True),
        (trip(date="2024-01-01", alerts=False), ASKED, True),
        (trip(alerts=True), ASKED[:-1] + " with alerts.", True),
        (trip(units="miles"), ASKED[:-1] + " in miles.", True),
        ("[book_table(place='Alma', guests=25)]", "Reserve a table at Alma for twenty-five.", True),
        (trip(arrive="now"), ASKED, False),
        ("[search_train_trips(origin='Ghent')]", ASKED, False),
        ("[fly(origin='Ghent', destination='Rome')]", ASKED, False),
        (trip(units="feet"), ASKED, False),
        ("[book_table(place='Alma', guests='25')]", "Reserve a table at Alma for 25.", False),
        ("[book_table(place='Alma', guests=26)]", "Reserve a table at Alma for 25.", False),
        (trip(date="2024-03-06"), ASKED[:-1] + " on 2024-03-05.", False),
        ("[book_table(place='Ghent', guests='Rome')]", ASKED, False),
        ("[book_table(place='Ghent', guests=40)]", ASKED, False),  # the query names another function in full
        (trip(destination="Roma"), ASKED, None),
        (trip(origin="Rome", destination="Ghent"), ASKED, None),
        (trip(origin="Rome"), ASKED, None),  # Rome is stated once, Ghent is unused
        (trip(alerts=True), ASKED, None),
        (trip(alerts=False), ASKED[:-1] + " with alerts.", False),
        (trip(alerts=False), ASKED[:-1] + " with notifications enabled.", None),  # perhaps alerts
        (trip(), ASKED[:-1] + ", warnings enabled.", None),
        (f"[{trip(alerts=True)[1:-1]}, {trip(alerts=False)[1:-1]}]", ASKED[:-1] + " with alerts.", None),
        (trip(destination="Oslo"), ASKED, False),  # and the query has a Rome that no value is
        (trip(origin="Grace Kim"), ASKED, None),  # no competing value: Ghent is one word
        (trip(units="km"), ASKED[:-1] + " with units miles.", False),
        (trip(units="km"), ASKED[:-1] + " with units miles, not this time.", None),
        ("[book_table(place='XY99', guests=25)]", "Reserve a table at CD34 for 25.", False),
        ("[book_table(place='Paul Reed', guests=25)]", "Reserve a table for 25 at Paul Hall.", False),
        ("[book_table(place='Philadelphia', guests=25)]", "Reserve a table for 25 in Philly.", None),
        ("[book_table(place='Chicago', guests=25)]", "Reserve a table for 25 in Chcicago.", None),
        ("[book_table(place='Oslo', guests=25)]", "Reserve a table for 25 on Monday.", None),
        ("[book_table(place='Oslo', guests=25)]", "Een tafel voor 25 in Ghent, bij het café.", None),
        ("[get_weather(city='Alma', days=3)]", "Reserve a table at Alma for 3.", False),  # another function, in full
        ("[get_weather(city='Alma', days=3)]", "Alma has a table, I reserve nothing for 3.", None),
        (trip(), ASKED[:-1] + " in miles.", None),
        (trip(), ASKED[:-1] + " tomorrow.", None),
        (trip(), ASKED[:-1] + ", but not by night.", None),
        (trip(), ASKED[:-1] + ", then a table.", None),
        (trip(), ASKED[:-1] + " for 3.", None),
        (f"[{TRIP[1:-1]}, {TRIP[1:-1]}]", ASKED, False),  # the same call twice
        ("[book_table(place='Alma', guests=4)]", "Reserve a table at Alma for 2 adults and 2 children.", None),
        ("[book_table(place='Alma', guests=12)]", "Reserve a table at Alma for a dozen, at 8.", None),
        ("[book_table(place='Alma', guests=40)]", "Reserve a table at Alma.", None),  # nothing contradicts it
        ("[get_weather(city='Ghent', days=7)]", "Weather in Ghent for a week, 3 times.", None),
        ("No tool can do that.", ASKED, None),
    ],
)
def test_call(answer, query, value):
    assert heuristic_result("call", row(answer, query)).value is value


def test_an_unknown_check_is_an_error():
    with pytest.raises(ValueError, match="no check named 'validate'"):
        heuristic_result("validate", row())
