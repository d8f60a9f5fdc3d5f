"""Answers the questions of questions_test.go from messages as they were sent, one in each file of a folder, with python-hl7.

It shares no code with the tables or with the JSON of the lake. It writes a list of rows for each question, as JSON.
"""
import collections
import datetime
import json
import pathlib
import re
import statistics
import sys

import hl7


def at(segment, field, component=1, repetition=0):
    """The text at a place of a segment; None where there is none."""
    try:
        text = segment(field)
    except (IndexError, KeyError):
        return None
    repetitions = list(text) if isinstance(text, hl7.Field) else [text]
    if repetition >= len(repetitions):
        return None
    return below(repetitions[repetition], component)


def below(repetition, component):
    """The first sub-component of a component of a repetition."""
    components = list(repetition) if isinstance(repetition, hl7.Repetition) else [repetition]
    if component > len(components):
        return None
    found = components[component - 1]
    while not isinstance(found, str):
        if len(found) == 0:
            return None
        found = found[0]
    return unescaped(found) or None


def unescaped(text):
    """The text without the escapes of delimiters (HL7 v2.5.1, 2.7.1)."""
    return re.sub(r"\\([FSTRE])\\", lambda found: dict(F="|", S="^", T="&", R="~", E="\\")[found[1]], text)


def repetitions(segment, field):
    """The repetitions of a field that are not empty."""
    try:
        return [r for r in segment(field) if str(r).strip("^&")]
    except (IndexError, KeyError, TypeError):
        return []


def values(repetition):
    """How many values that are not empty a repetition has."""
    if isinstance(repetition, str):
        return 1 if repetition else 0
    return sum(values(part) for part in repetition)


def holds(segment):
    return any(str(field).strip("~^&") for field in segment[1:])


def moment(text):
    digits = re.match(r"\d{4,14}", text or "")
    for form, length in (("%Y%m%d%H%M%S", 14), ("%Y%m%d%H%M", 12), ("%Y%m%d%H", 10), ("%Y%m%d", 8), ("%Y%m", 6), ("%Y", 4)):
        if digits and len(digits[0]) == length:
            try:
                return datetime.datetime.strptime(digits[0], form)
            except ValueError:
                return None
    return None


def minutes(begin, end):
    """How often the minute changes, as SQL's date_diff counts."""
    return (end.replace(second=0) - begin.replace(second=0)) // datetime.timedelta(minutes=1)


def number(text):
    return float(text) if re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", text or "") else None


def type_of(header):
    code, event = at(header, 9, 1), at(header, 9, 2)
    if not re.fullmatch(r"[A-Z0-9]{3}", code or "") or event and not re.fullmatch(r"[A-Z0-9]{3}", event):
        return "unknown"
    return code + "^" + event if event else code


class Answers:
    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)  # by question, then key
        self.numbers = collections.defaultdict(lambda: collections.defaultdict(list))

    def add(self, question, *key):
        self.counts[question][key] += 1

    def message(self, text):
        message = hl7.parse(text)
        header = message[0]
        kind = type_of(header)
        self.add(1, kind)
        self.add(2, at(header, 12))
        self.add(3, at(header, 3))
        order = visit = about = None
        for segment in message:
            name = str(segment[0])
            if name == "PID":
                order = visit = None
            elif name == "ORC":
                order = None
            elif name == "OBR":
                order = segment
            elif name == "PV1":
                visit = segment
            if holds(segment):
                self.segment(kind, name, segment, order, visit, about)
            if name != "NTE":
                about = name if re.fullmatch("[A-Z0-9]{3}", name) else None

    def segment(self, kind, name, segment, order, visit, about):
        if name == "PID":
            self.add(4, at(segment, 8))
            born = moment(at(segment, 7))
            if born:
                self.add(5, born.year // 10 * 10)
            for r in repetitions(segment, 3):
                self.add(6, below(r, 5))
        elif name == "MRG":
            for _ in repetitions(segment, 1):
                self.add(7, kind)
        elif name == "PV1":
            self.add(8, at(segment, 2))
            self.add(9, at(segment, 3))
            begin, end = moment(at(segment, 44)), moment(at(segment, 45))
            if begin and end:
                self.numbers[10][(at(segment, 2),)].append(minutes(begin, end))
        elif name == "OBR":
            begin, end = moment(at(segment, 7)), moment(at(segment, 22))
            if begin and end:
                self.numbers[12][(at(segment, 4),)].append(minutes(begin, end))
        elif name == "OBX":
            self.result(segment, order, visit)
        elif name == "NTE":
            self.add(17, about)
        elif name == "DG1":
            self.add(18, at(segment, 3))
        elif name in ("AL1", "IAM"):
            self.add(19, at(segment, 2), at(segment, 4))
        elif re.fullmatch("Z[A-Z0-9]{2}", name):
            self.numbers[20][(name,)].append(sum(values(field) for field in segment[1:]))

    def result(self, segment, order, visit):
        self.add(11, at(order, 4) if order else None)
        kind = at(segment, 2)
        self.add(13, kind)
        n = number(at(segment, 5)) if kind == "NM" else None
        if n is not None:
            self.numbers[14][(at(segment, 3), at(segment, 6))].append(n)
        flags = [below(r, 1) for r in repetitions(segment, 8) if below(r, 1)]
        if flags:
            self.add(15, "~".join(flags))
        reported = moment(at(order, 22)) if order else None
        if at(segment, 3) in ("2524-7", "33959-8", "600-7") and reported:
            if datetime.datetime(2026, 3, 9) <= reported < datetime.datetime(2026, 3, 16):
                ward = at(visit, 3) if visit else None
                self.numbers[16][(ward,)].append((minutes(moment(at(order, 7)), reported), n))

    def rows(self, question):
        numbers = self.numbers[question].items()
        if question == 10:
            return [[*key, len(all), statistics.mean(all) / 60] for key, all in numbers]
        if question == 12:
            return [[*key, len(all), statistics.mean(all)] for key, all in numbers]
        if question == 14:
            return [[*key, len(all), min(all), statistics.mean(all), max(all)] for key, all in numbers]
        if question == 16:
            return [[*key, len(all), statistics.median(m for m, _ in all), max((n for _, n in all if n is not None), default=None)] for key, all in numbers]
        if question == 20:
            return [[*key, len(all), sum(all)] for key, all in numbers]
        return [[*key, count] for key, count in self.counts[question].items()]


def main():
    answers = Answers()
    for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        ends = r"(\r\n?)+" if "\r" in text else r"\n+"  # beside CR, a LF alone is a part of a value
        answers.message(re.sub(ends, "\r", text).strip("\r\n\x0b\x1c"))
    print(json.dumps([answers.rows(question) for question in range(1, 21)]))


main()
