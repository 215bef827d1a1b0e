"""What is asked for in a way that can't be understood: each command says what was meant, and writes nothing."""

import shlex
import sys
from pathlib import Path

import pytest

from storemon.cli import main

SAID_OF = {
    "report --window yestrday": "'yestrday' is not a window; did you mean yesterday or last_day?",
    "report --window 2024-13": "there is no 2024-13 in the calendar",
    "report --window 2024-02-30": "there is no 2024-02-30 in the calendar",
    "report --window 1h --window last_1h=2h": "two windows are called 'last_1h'; name one of them",
    "report --to 2024-10-14": "a window needs a start; say from when on with --from",
    "report --from 2024-10-14 --to 2024-10-13": "the window from 2024-10-14 to 2024-10-13 ends before it starts; swap",
    "report --from 2024-10-14 --to 2024-10-14": "ends before it starts",
    "report --from monday": "'monday' is not an instant; write it like 2024-10-14T23:55:18Z",
    "report --policy nearst": "there is no policy 'nearst'; did you mean nearest?",
    "report --measures uptim,downtime": "there is no measure 'uptim'; did you mean uptime",
    "report --measures uptime,": "there is no measure ''; choose from: uptime, downtime, unknown,",
    "report --every weak": "there is no unit 'weak'; did you mean week?",
    "report --every day --window 1d --window 2d": "a series cuts one window, and compares it with none",
    "report --every day --versus previous": "a series cuts one window, and compares it with none",
    "report --versus next": 'Invalid value "next" for --versus. Choose from: "previous".',
    "report --target 101": "'101' is not a target; write a percentage above 0 and up to 100, like 99.5",
    "report --target high": "'high' is not a target",
    "report --where region": "'region' is not a condition; write it like region=West",
    "report --where region=West,region=South": "region cannot be both 'West' and 'South'; keep one condition for each",
    "report --where reigon=West": "there is no tag 'reigon'; did you mean region?",
    "report --where region=Midwst": "there is no region 'Midwst'; did you mean Midwest",
    "report --group-by regin": "there is no tag 'regin'; did you mean region?",
    "report --group-by region,region": "the tag 'region' is named twice",
    "report --group-by region --overall": "--overall puts all stores into one row, --group-by into several; leave one",
    "report --top -1": 'Invalid value "-1" for --top. Must be >= 0.',
    "report --top many": 'unable to convert "many" into int',
    "report --windw 1d": "Unknown option: --windw. Did you mean --window?",
    "outage": 'Unknown command "outage". Did you mean "outages"?',
    "outages --window lastday": "'lastday' is not a window; did you mean last_day",
    "outages --out outages.txt": "there is no form '.txt'",
    "outages --out week.pdf": "--out week.pdf: only a report is written as PDF: storemon report --out week.pdf",
    "report --out week.pdf --measures uptime": "a PDF chooses its figures itself; leave out --measures",
    "report --out week.pdf --top 3": "a PDF lists a few of the worst; leave out --top, or choose another form",
    "report --out week.pdf --window 1d --window 2d": "a PDF tells of one window, but these were asked for: last_1d,",
    "outages --where brnd=x": "there is no tag 'brnd'; did you mean brand?",
    "outages --top -5": 'Invalid value "-5" for --top. Must be >= 0.',
    "hour-of-week --window 1d --window 2d": "ask for one",
    "hour-of-week --group-by regin": "there is no tag 'regin'; did you mean region?",
    "hour-of-week --overall --group-by region": "leave one of them out",
    "stores --breaching": "--breaching needs a target; say what was promised, like --target 99.5",
    "stores --target 0": "'0' is not a target; write a percentage above 0 and up to 100, like 99.5",
    "stores --window lost-month": "'lost-month' is not a window; did you mean last-month",
    "audit --window soon": "'soon' is not a duration; write it like 7d, 36h, 90m or 1d12h",
    "audit --as-of someday": "'someday' is not an instant",
    "explain nobody": "there is no store 'nobody'; there are 8 stores; a report lists them",
    "explain nobody --svg nobody.svg": "there is no store 'nobody'",
    "explain nobody --window 1d --window 2d": "one window is explained at a time, and 2 are asked for; choose one",
    "explain nobody --where reigon=West": "there is no tag 'reigon'; did you mean region?",
}


@pytest.mark.parametrize("line", SAID_OF)
def test_what_is_wrong_is_said_in_words(
    line: str, sampled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    out = [] if "--out" in line or line.startswith("explain") else ["--out", "answer.csv"]
    monkeypatch.setattr(sys, "argv", ["storemon", *shlex.split(line), "--lake", str(sampled / "parquet"), *out])
    with pytest.raises(SystemExit) as ended:
        main()
    told, said = capfd.readouterr()
    assert (ended.value.code, told) == (2, "")
    assert SAID_OF[line] in said
    assert said.startswith(("storemon: ", "\u256d\u2500 Error"))
    assert not [*tmp_path.iterdir()]
