import pytest
from workshop import Workshop

from transformers.agents.score_risk import AGENT
from transformers.risk.personal_data import PersonalKind
from transformers.risk.prose import spoken_of

SAID = {
    "please call me at 555 123 4567 about it": (PersonalKind.PHONE, "555 123 4567"),
    "my password is hunter22 for now": (PersonalKind.PASSWORD, "hunter22"),
    "he was born on 12/03/1980 in Rome": (PersonalKind.DATE_OF_BIRTH, "12/03/1980"),
    "her passport no. X1234567 was lost": (PersonalKind.NATIONAL_ID, "X1234567"),
    "the ssn 536904399 was given to us": (PersonalKind.US_SSN, "536904399"),
    "pay to account number 12345678 please": (PersonalKind.BANK_ACCOUNT, "12345678"),
    "then Mr. Smith said it was late": (PersonalKind.PERSON_NAME, "Smith"),
    "we met Anna Schmidt at the fair": (PersonalKind.PERSON_NAME, "Anna Schmidt"),
}


@pytest.mark.parametrize("text", SAID)
def test_the_word_before_tells_what_a_number_is(text: str) -> None:
    assert list(spoken_of(text)) == [SAID[text]]


@pytest.mark.parametrize(
    "text",
    [
        "call 3 items back to the store please",
        "the parcel 5551234567 was late and 40 items were sent",
        "released on 2024-01-01 with version 1.2.3",
        "John F. Kennedy Elementary School",
        "Anna Schmidt Pale Ale Brewing",
        "see Dr. Pepper cans in the new shop",
    ],
)
def test_numbers_without_such_a_word_and_names_of_things_say_nothing(text: str) -> None:
    assert list(spoken_of(text)) == []


def test_what_a_note_says_of_somebody_is_listed_row_by_row_and_masked(workshop: Workshop) -> None:
    notes = ["all is well with this order"] * 40
    notes[4] = "his passport no. X1234567 was lost"
    notes[9] = "password is hunter22 for now"
    result = workshop.run(AGENT, {"note": notes})
    assert [(issue.row_index, issue.issue_type) for issue in result.row_level_issues] == [
        (5, "unexpected_national_id"),
        (10, "unexpected_password"),
    ]
    assert "X1234567" not in result.model_dump_json()
    assert "hunter22" not in result.model_dump_json()
