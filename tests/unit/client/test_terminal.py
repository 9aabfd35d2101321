from __future__ import annotations

from client.terminal import printable, table


def test_what_could_move_the_cursor_is_written_out() -> None:
    assert printable("a\x1b[2J\n\u202eé ü") == "a\\x1b[2J\\n\\u202eé ü"
    assert printable("half \udc80 a pair") == "half \\udc80 a pair"


def test_a_table_has_its_numbers_to_the_right() -> None:
    rows = [("sent", 12_345, "in all"), ("of them new", 7), ("kept", None), ("share", 0.5), ("name", "a\n")]
    assert table(rows).splitlines() == [
        "sent         12,345  in all",
        "of them new       7",
        "kept              -",
        "share           0.5",
        "name         a\\n",
    ]
    assert table([]) == ""
