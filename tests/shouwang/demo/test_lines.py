"""Lines as a phone breaks them."""

from rich.cells import cell_len

from shouwang.demo.lines import wrap


def test_what_fits_stays_as_it_is() -> None:
    assert wrap("接单回K7", 20) == ["接单回K7"]
    assert wrap("", 20) == [""]


def test_a_line_ends_at_a_blank_where_there_is_one() -> None:
    assert wrap("燃气泄漏 玉林北街 开窗关阀勿开灯", 24) == ["燃气泄漏 玉林北街", "开窗关阀勿开灯"]


def test_an_early_blank_does_not_leave_a_line_half_empty() -> None:
    assert wrap("二 一二三四五六七八九十", 12) == ["二 一二三四", "五六七八九十"]


def test_a_comma_never_begins_a_line() -> None:
    lines = wrap("接单请按一，去不了请按二，重听请按九。", 10)

    assert not [line for line in lines if line[0] in "，。"]
    assert all(cell_len(line) <= 10 for line in lines)
    assert "".join(lines) == "接单请按一，去不了请按二，重听请按九。"


def test_a_code_is_never_parted() -> None:
    assert wrap("一二三四五六K7", 13) == ["一二三四五六", "K7"]


def test_lines_that_are_there_stay() -> None:
    assert wrap("进门：\n1.关阀", 40) == ["进门：", "1.关阀"]
