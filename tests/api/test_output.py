"""Answers and reports as lines and JSON."""

from api.index_command import SHOWN, report_json, report_lines
from api.output import answer_json, answer_lines
from engine.search import Answer, Hit
from indexer.report import IndexReport


def test_captions_are_in_the_lines_and_the_json_of_an_answer() -> None:
    photo = Hit(1, 7, 0.5, "c", path="/p/a.jpg", width=9, height=8, caption="a dog runs")
    found = Answer("dog", "images", ("c",), [], [photo, Hit(2, 8, 0.4, "c", path="/p/b.jpg", width=9, height=8)])
    assert answer_lines(answer_json(found)) == [
        "  1     0.500  /p/a.jpg",
        "               a dog runs",
        "  2     0.400  /p/b.jpg",
    ]
    assert [hit["caption"] for hit in answer_json(found)["hits"]] == ["a dog runs", None]
    asked = Answer("p.jpg", "sentences", ("c",), [], [Hit(1, 3, 0.5, "c", text="Dogs.", document="/p/a.txt")], "a dog")
    assert answer_lines(answer_json(asked)) == ["caption: a dog", "  1     0.500  Dogs."]
    document = answer_json(asked)
    assert document["caption"] == "a dog"
    assert "caption" not in document["hits"][0]


def test_a_report_says_how_many_photos_were_captioned_and_which_could_not_be() -> None:
    report = IndexReport("c", seen=20, added=20, photos=20, captioned=8)
    assert report_lines(report)[1] == "seen 20, added 20, unchanged 0, moved 0, removed 0, captioned 8, skipped 0"
    assert len(report_lines(report)) == 2
    for number in range(12):
        report.leave_uncaptioned(f"/p/{number}\n.jpg", "the photo has no regions")
    lines = report_lines(report)
    assert lines[2:4] == ["  12 without caption", "    /p/0\\n.jpg: the photo has no regions"]
    assert lines[4 + SHOWN - 1] == "    and 2 more; --json names all"
    report.renewed.append("photos: it has outgrown exact search")
    assert report_lines(report)[-1] == "  index written anew, photos: it has outgrown exact search"
    document = report_json(report)
    assert (document["captioned"], document["skipped_items"]) == (8, [])
    assert document["uncaptioned_items"][11] == {"name": "/p/11\n.jpg", "reason": "the photo has no regions"}
