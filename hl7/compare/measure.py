"""Measures Debian's python3-hl7 on the samples of a folder: python3 measure.py FOLDER SECONDS.

Prints a JSON object a line.
"""

import json
import pathlib
import sys
import time

folder, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
sys.path.insert(0, str(folder / "usr/lib/python3/dist-packages"))
import hl7  # noqa: E402, found in the folder


def speed(text, task):
    task(text)  # warm
    rounds, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        task(text)
        rounds += 1
    return rounds * len(text) / (time.process_time() - begin) / 1e6


tasks = {"parse": hl7.parse, "json": lambda text: json.dumps(hl7.parse(text))}
for task, run in tasks.items():
    for file in sorted(folder.glob("*.hl7")):
        text = file.read_bytes().decode()
        print(json.dumps({"parser": f"hl7 {hl7.__version__} (Debian, Python)", "task": task, "sample": file.stem, "MBps": speed(text, run)}))
