"""A table of subscribers: every good row is taken, every bad one named, none confirmed unasked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.errors import Problem, TableError
from postroom.subscribers.address import parse_address, parse_name
from postroom.subscribers.subscriber import (
    Cadence,
    Consent,
    Subscriber,
    SubscriberChange,
)
from postroom.subscribers.table.cell import guard_cell, unguard_cell
from postroom.subscribers.table.read import read_table
from postroom.subscribers.table.records import MAX_JOINED, MAX_LINE
from postroom.subscribers.table.render import render_table
from postroom.subscribers.topics import build_topics

HEADER = "email,name,consent,cadence,topics,language\n"
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def read(
    table: str | bytes, *, confirmed: bool = False
) -> tuple[list[SubscriberChange], list[Problem]]:
    """Read a whole table; changes and problems apart."""
    data = table.encode() if isinstance(table, str) else table
    rows = list(read_table(data, path="list.csv", confirmed=confirmed))
    return (
        [row for row in rows if isinstance(row, SubscriberChange)],
        [row for row in rows if isinstance(row, Problem)],
    )


def emails(table: str | bytes) -> list[str]:
    """Read the addresses of a table that must be without problems."""
    changes, problems = read(table)
    assert not problems
    return [change.email for change in changes]


def consents(table: str, *, confirmed: bool = False) -> dict[str, Consent | None]:
    """Read who says what: local part → consent."""
    changes, problems = read(table, confirmed=confirmed)
    assert not problems
    return {change.email.partition("@")[0]: change.consent for change in changes}


# -- our own table -----------------------------------------------------------------


def test_our_own_columns() -> None:
    """Each column lands where it belongs; an empty cell says nothing."""
    changes, problems = read(
        HEADER
        + "kim@blog.kr,김철수,confirmed,daily,여행;#Python,ko\n"
        + "lee@blog.kr,,,,,\n"
    )
    assert not problems
    assert changes == [
        SubscriberChange(
            email="kim@blog.kr",
            key="kim@blog.kr",
            name="김철수",
            consent=Consent.CONFIRMED,
            cadence=Cadence.DAILY,
            topics=("Python", "여행"),
            language="ko",
        ),
        SubscriberChange(email="lee@blog.kr", key="lee@blog.kr"),
    ]


def test_columns_in_any_order_and_some_missing() -> None:
    """Names decide what a column is; columns of no use to us are ignored."""
    changes, _ = read("Shoe size;Language;E-Mail\n42;en;kim@blog.kr\n")
    assert changes == [
        SubscriberChange(email="kim@blog.kr", key="kim@blog.kr", language="en")
    ]


def test_only_the_operator_confirms_rows_without_consent() -> None:
    """Without the operator's word a row is left open; a stated consent always stands."""
    table = HEADER + (
        "a@b.kr,,,,,\nb@b.kr,,pending,,,\nc@b.kr,,Unsubscribed,,,\nd@b.kr,,suppressed,,,\n"
    )
    assert consents(table)["a"] is None
    assert consents(table, confirmed=True) == {
        "a": Consent.CONFIRMED,
        "b": Consent.PENDING,
        "c": Consent.UNSUBSCRIBED,
        "d": Consent.SUPPRESSED,
    }


def test_one_address_a_line_without_names() -> None:
    """A plain list of addresses, or of addresses and names, is a table too."""
    assert emails("a@b.kr\n\n  c@b.kr \n") == ["a@b.kr", "c@b.kr"]
    changes, _ = read("a@b.kr;Ann\nc@b.kr;\n")
    assert [change.name for change in changes] == ["Ann", None]


@pytest.mark.parametrize(
    "table", ["", "\n \n,,\n", "name,city\nAnn,Jeju\n", "a@b.kr,x,y\n"]
)
def test_what_is_no_table_is_refused_at_once(table: str) -> None:
    """Nothing, no address column, or many columns without names: said before any row."""
    with pytest.raises(TableError, match=r"list\.csv") as caught:
        read_table(table.encode(), path="list.csv")
    assert "email,name,consent" in caught.value.cure


# -- encodings and line ends -------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_files_as_spreadsheets_write_them(
    encoding: str, end: str, delimiter: str
) -> None:
    """Every usual encoding, line end and delimiter gives the same rows."""
    rows = [["이메일", "이름"], ["kim@blog.kr", "김철수"], ["lee@blog.kr", "똠방각하"]]
    text = "".join(delimiter.join(row) + end for row in rows)
    mark = "\ufeff" if encoding.startswith("utf-16-") else ""
    changes, problems = read((mark + text).encode(encoding))
    assert not problems
    assert [(change.email, change.name) for change in changes] == [
        ("kim@blog.kr", "김철수"),
        ("lee@blog.kr", "똠방각하"),
    ]


def test_a_false_utf_16_mark_is_refused() -> None:
    """Half a character at the end: the file is not what it says."""
    with pytest.raises(TableError, match="UTF-16"):
        read_table("\ufeffemail".encode("utf-16-le") + b"x", path="list.csv")


# -- broken rows cost only themselves ----------------------------------------------


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("not an address", "must have an @-sign"),
        ("kim@gmail", "not valid"),
        ("x@b.kr,Ann,maybe", "no state of consent"),
        ("x@b.kr,Ann,,hourly", "no cadence"),
        ("x@b.kr,Ann,,,,Korean please", "no language"),
        ("x@b.kr,Kim, Ann,confirmed,daily,,ko", "7 cells where 6"),
        ("x@b.kr,An\0n", "NUL"),
        ("x@b.kr," + "n" * MAX_LINE, "longer than"),
        ('x@b.kr,"Ann', "not closed"),
        ('"x@b.kr"z,Ann', "follows a closing quote"),
        ("x@b.kr\x1b[2J,Ann", "control"),
    ],
)
def test_a_bad_row_is_a_problem_at_its_line(row: str, words: str) -> None:
    """The rows around it are taken; the problem names file, line, fault and cure."""
    changes, problems = read(
        f"{HEADER}a@b.kr,A,,,,\n{row}\nc@b.kr,C,,,,\nd@b.kr,D,,,,\n"
    )
    assert [change.email for change in changes] == ["a@b.kr", "c@b.kr", "d@b.kr"]
    (problem,) = problems
    assert (problem.path, problem.line) == ("list.csv", 3)
    assert words in problem.message
    assert problem.cure
    assert str(problem).isprintable()


def test_a_line_that_is_no_utf8() -> None:
    """One mangled line among UTF-8 ones is named, the others are read."""
    changes, problems = read(
        HEADER.encode() + "a@b.kr,김\n".encode() + b"b@b.kr,caf\xe9\n" + b"c@b.kr,C\n"
    )
    assert [change.email for change in changes] == ["a@b.kr", "c@b.kr"]
    assert [(problem.line, problem.message) for problem in problems] == [
        (3, "the line is not UTF-8")
    ]


def test_a_cell_may_span_lines() -> None:
    """Quoted notes and postal addresses hold line breaks; later lines keep their numbers."""
    changes, problems = read(
        'note,email\n"one\ntwo, ""2""\n\nfour",a@b.kr\nplain,nobody\n"x",c@b.kr\n'
    )
    assert [change.email for change in changes] == ["a@b.kr", "c@b.kr"]
    assert [problem.line for problem in problems] == [6]


def test_a_lost_quote_does_not_swallow_rows() -> None:
    """Two lost quotes far apart must not make one cell of all rows between them."""
    changes, problems = read(
        'email,name\na@b.kr,"Ann\nb@b.kr,Bob\nc@b.kr,"\nd@b.kr,Dan\ne@b.kr,5" disk\n'
    )
    assert [change.email for change in changes] == ["b@b.kr", "d@b.kr", "e@b.kr"]
    assert [problem.line for problem in problems] == [2, 4]


def test_quotes_lost_in_neighbouring_rows() -> None:
    """An opening quote in one row and a closing one in the next are no cell of two lines."""
    changes, problems = read('email,name\na@b.kr,"Ann\nb@b.kr,Bob"\nc@b.kr,Cho\n')
    assert [change.email for change in changes] == ["b@b.kr", "c@b.kr"]
    assert [problem.line for problem in problems] == [2]


def test_many_lost_quotes_cost_linear_work() -> None:
    """A quote opened on every line is a problem on every line, and soon read."""
    rows = 3 * MAX_JOINED
    changes, problems = read('note,email\n"no row\n' + '"no row\n' * (rows - 1))
    assert not changes
    assert len(problems) == rows


@given(st.data())
def test_stray_quotes_cost_only_their_rows(data: st.DataObject) -> None:
    """Quotes put anywhere into a table of plain rows lose at most the rows they are in."""
    rows = [f"reader{number}@blog.kr,Reader {number}" for number in range(8)]
    hit = data.draw(st.sets(st.integers(0, 7), min_size=1, max_size=3))
    for row in hit:
        place = data.draw(st.integers(0, len(rows[row])))
        rows[row] = rows[row][:place] + '"' + rows[row][place:]
    changes, problems = read("email,name\n" + "\n".join(rows) + "\n")
    kept = {change.email for change in changes}
    assert {
        f"reader{number}@blog.kr" for number in range(8) if number not in hit
    } <= kept
    assert {problem.line - 2 for problem in problems} <= hit


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    """Any file is a TableError, or rows and problems with their lines in order."""
    try:
        rows = list(read_table(HEADER.encode() + data, path="list.csv"))
        list(read_table(data, path="list.csv"))
    except TableError:
        return
    lines = [row.line for row in rows if isinstance(row, Problem)]
    assert lines == sorted(lines)


# -- duplicates --------------------------------------------------------------------


def test_an_address_given_twice() -> None:
    """Both rows are handed on, so that the later one counts, and the second is named."""
    changes, problems = read("email,name\nKim@blog.kr,Kim\nkim@BLOG.kr,Kim Ann\n")
    assert [change.name for change in changes] == ["Kim", "Kim Ann"]
    assert [problem.line for problem in problems] == [3]
    assert "twice" in problems[0].message


def test_a_later_row_does_not_undo_a_stop() -> None:
    """Who left in one of two joined lists has left, whatever the order."""
    changes, _ = read(
        HEADER + "a@b.kr,,unsubscribed,,,\na@b.kr,,confirmed,,,\n"
        "b@b.kr,,confirmed,,,\nb@b.kr,,suppressed,,,\nb@b.kr,,,,,\n",
        confirmed=True,
    )
    assert [change.consent for change in changes] == [
        Consent.UNSUBSCRIBED,
        None,
        Consent.CONFIRMED,
        Consent.SUPPRESSED,
        None,
    ]


# -- tables from elsewhere ---------------------------------------------------------


def test_listmonk() -> None:
    """`enabled` needs the operator's word; `disabled` and `blocklisted` are a no."""
    table = (
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        '1f,a@b.kr,Ann,"{""city"": ""Jeju, KR""}",enabled,2024-01-01,2024-01-01\n'
        "2f,b@b.kr,Bob,{},disabled,2024-01-01,2024-01-01\n"
        "3f,c@b.kr,Cho,{},blocklisted,2024-01-01,2024-01-01\n"
    )
    assert consents(table) == {
        "a": None,
        "b": Consent.UNSUBSCRIBED,
        "c": Consent.SUPPRESSED,
    }
    assert consents(table, confirmed=True)["a"] is Consent.CONFIRMED
    assert [change.name for change in read(table)[0]] == ["Ann", "Bob", "Cho"]


def test_ghost() -> None:
    """`subscribed_to_emails` false is a no; labels are no topics."""
    table = (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,"
        "created_at,deleted_at,labels,tiers\n"
        '1,a@b.kr,Ann,"two\nlines",true,false,,2024-01-01T00:00:00.000Z,,vip,\n'
        "2,b@b.kr,,,false,false,,2024-01-01T00:00:00.000Z,,,\n"
        "3,c@b.kr,,,true,false,,2024-01-01T00:00:00.000Z,2025-01-01T00:00:00.000Z,,\n"
    )
    assert consents(table, confirmed=True) == {
        "a": Consent.CONFIRMED,
        "b": Consent.UNSUBSCRIBED,
        "c": Consent.UNSUBSCRIBED,
    }
    assert read(table)[0][0].topics is None


def test_mailchimp() -> None:
    """Names are joined; a time of leaving or of bouncing is a no, whichever the file."""
    head = "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME"
    row = "2,2020-02-03 04:05:06,2020-02-03 04:06:00"
    here = f'{head},NOTES,TAGS\na@b.kr,Ann,Bee,{row},,"""VIP"",""Blog"""\n'
    (change,), _ = read(here, confirmed=True)
    assert (change.name, change.consent, change.topics) == (
        "Ann Bee",
        Consent.CONFIRMED,
        None,
    )
    left = f"{head},UNSUB_TIME,UNSUB_REASON\na@b.kr,,,{row},2021-01-01 00:00:00,\n"
    gone = f"{head},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE\na@b.kr,,,{row},2021-01-01 00:00:00,x\n"
    assert consents(left, confirmed=True) == {"a": Consent.UNSUBSCRIBED}
    assert consents(gone, confirmed=True) == {"a": Consent.SUPPRESSED}


def test_korean_names_in_two_columns() -> None:
    """The family name stands first and close to the other."""
    (change,), _ = read("email,first_name,last_name\nhong@b.kr,길동,홍\n")
    assert change.name == "홍길동"


def test_substack() -> None:
    """Paying is not consent; disabled mail is a no."""
    table = (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "a@b.kr,false,,other,false,2025-01-01,\n"
        "b@b.kr,true,2026-01-01,yearly,true,2025-01-01,2025-06-01\n"
    )
    assert consents(table) == {"a": None, "b": Consent.UNSUBSCRIBED}


@pytest.mark.parametrize("column", ["email,subscriber_type", "email_address,type"])
def test_buttondown(column: str) -> None:
    """Its types are known, also under their newer name."""
    table = (
        f"{column},metadata,tags,creation_date\n"
        "a@b.kr,regular,{},x,2024-01-01\n"
        "b@b.kr,unactivated,{},,2024-01-01\n"
        "c@b.kr,unsubscribed,{},,2024-01-01\n"
        "d@b.kr,spammy,{},,2024-01-01\n"
        "e@b.kr,past_due,{},,2024-01-01\n"
    )
    assert consents(table, confirmed=True) == {
        "a": Consent.CONFIRMED,
        "b": Consent.PENDING,
        "c": Consent.UNSUBSCRIBED,
        "d": Consent.SUPPRESSED,
        "e": Consent.CONFIRMED,
    }


def test_the_more_cautious_of_two_columns_counts() -> None:
    """A reader who is active in one column and gone in another is gone."""
    table = "email,status,unsub_time\na@b.kr,confirmed,2024-01-01\nb@b.kr,confirmed,\n"
    assert consents(table) == {"a": Consent.UNSUBSCRIBED, "b": Consent.CONFIRMED}


@pytest.mark.parametrize("column", ["구독 상태", "Email opt-out", "Unsubscribe reason"])
def test_a_column_that_may_say_no_is_not_passed_over(column: str) -> None:
    """It is named as a problem; nobody is confirmed over it."""
    table = f"email,{column}\na@b.kr,수신거부\n"
    changes, problems = read(table)
    assert [change.consent for change in changes] == [None]
    assert [problem.line for problem in problems] == [1]
    assert column in problems[0].message
    with pytest.raises(TableError, match="may say who refused"):
        read_table(table.encode(), path="list.csv", confirmed=True)


# -- there and back ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["=1+2", "+82", "-x", "@x", "\tx", "\rx", "'=x", "''+"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    """A dangerous cell begins with an apostrophe, and taking one away gives it back."""
    assert guard_cell(text) == "'" + text
    assert unguard_cell(guard_cell(text)) == text


@given(st.text("'=+-@\t\rab"))
def test_guarding_loses_nothing(text: str) -> None:
    """Guarded text never starts a formula, and is read back as it was."""
    guarded = guard_cell(text)
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguard_cell(guarded) == text


LOCAL_PARTS = st.from_regex(r"[a-z=+'{}-]{1,12}", fullmatch=True) | st.just("김")
NAMES = st.text() | st.text("'=+-@\"',;\n\t김 a")
SUBSCRIBERS = st.builds(
    Subscriber,
    id=st.just(1),
    email=st.builds("{}@blog.kr".format, LOCAL_PARTS),
    key=st.just(""),
    name=NAMES.map(parse_name),
    consent=st.sampled_from(Consent),
    cadence=st.sampled_from(Cadence),
    topics=st.lists(NAMES, max_size=3).map(build_topics),
    language=st.sampled_from(["", "ko", "en", "zh-Hant-TW"]),
    added_at=st.just(NOW),
)


@given(st.lists(SUBSCRIBERS, max_size=5, unique_by=lambda subscriber: subscriber.email))
def test_an_exported_table_reads_back_without_loss(
    subscribers: list[Subscriber],
) -> None:
    """Export then import names every subscriber with the same values."""
    table = "".join(render_table(subscribers))
    assert all(line.count("\n") == 1 for line in render_table(subscribers))
    changes, problems = read(table)
    assert not problems
    assert changes == [
        SubscriberChange(
            email=subscriber.email,
            key=parse_address(subscriber.email).key,
            name=subscriber.name or None,
            consent=subscriber.consent,
            cadence=subscriber.cadence,
            topics=subscriber.topics or None,
            language=subscriber.language or None,
        )
        for subscriber in subscribers
    ]
