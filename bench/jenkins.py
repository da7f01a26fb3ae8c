"""What the step adds to Jenkins' own `sh`, measured on the real Jenkins by StepBenchmark of the plugin's tests."""

import os
import re
import statistics
import subprocess
from pathlib import Path

from harness import ROOT, Bench, Unavailable, say
from sections import Section, Table, ms

IN_A_ROW = 20  # as in StepBenchmark


def version() -> str:
    found = re.search(r"<jenkins\.baseline>(.*)</jenkins\.baseline>", (ROOT / "plugin/pom.xml").read_text())
    return f"{found[1]}.x" if found else "?"


def maven() -> list[str]:
    """Jenkins' parent POM asks for 3.9.6; CI puts one into target/."""
    candidates = [os.environ.get("MVN", ""), *map(str, sorted(ROOT.glob("target/maven/*/bin/mvn"))), "mvn"]
    for candidate in filter(None, candidates):
        try:
            said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
        except OSError:
            continue
        found = re.search(r"Apache Maven (\d+)\.(\d+)\.(\d+)", said)
        if found and tuple(map(int, found.groups())) >= (3, 9, 6):
            # Offline where everything is here already: else each run asks far away for each artifact.
            words = [candidate, "-q", "-B", "-Pjenkins"]
            for mode in (["-o"], []):
                tried = [*words, *mode, "-pl", "native,launcher,plugin", "test-compile"]
                if subprocess.run(tried, cwd=ROOT, capture_output=True, check=False).returncode == 0:
                    return [*words, *mode]
            raise Unavailable("Jenkins' artifacts cannot be resolved here")
    raise Unavailable("no Maven 3.9.6 or newer: name one in MVN")


def jenkins(bench: Bench) -> Section:
    """Steps on the built-in node, an inbound agent, and one behind 50 ms; 200 in parallel; round trips; build.xml."""
    words = maven()
    output = bench.directory / "step-benchmark"
    say("building the plugin, starting Jenkins")
    done = subprocess.run(
        [
            *words,
            "-pl",
            "native,launcher,plugin",
            "-Dtest=StepBenchmark",
            "-Dsurefire.failIfNoSpecifiedTests=false",
            f"-Dbench.output={output}",
            f"-Dbench.rounds={bench.rounds(5)}",
            "-Dspotless.check.skip=true",
            "-Dspotbugs.skip=true",
            "verify",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not output.exists():
        raise Unavailable("StepBenchmark failed:\n" + done.stdout[-3000:])
    figures: dict[tuple[str, str], list[float]] = {}
    for line in output.read_text().splitlines():
        which, kind, number = line.split("\t")
        figures.setdefault((which, kind), []).append(float(number))

    section = Section(
        "Jenkins",
        "The real Jenkins, its agents in JVMs of their own. Milliseconds that one `sh 'true'` takes in a Pipeline, plain and"
        " inside `sandbox`, with everything that belongs to it: 20 in a row in each turn. Durable task looks for the end of a"
        " script every quarter of a second at first, and that is in both.",
    )
    rows = []
    for label, name in (
        ("built-in", "local agent (built-in node), the user that measures"),
        ("inbound", "inbound agent, unprivileged"),
        ("distant", "inbound agent, 50 ms away"),
    ):
        plain, ours = figures[label, "plain"], figures[label, "sandboxed"]
        added = statistics.median((b - a) / IN_A_ROW for a, b in zip(plain, ours))
        rows.append([name, ms(statistics.median(plain) / IN_A_ROW), ms(statistics.median(ours) / IN_A_ROW), f"{added:.1f}"])
        section.figures[f"jenkins: added ms, {label}"] = added
    section.tables.append(Table(["", "plain ms", "in `sandbox` ms", "added ms, median of the turns"], rows))

    plain, ours = figures["parallel", "plain"], figures["parallel", "sandboxed"]
    ratio = statistics.median(b / a for a, b in zip(plain, ours))
    section.figures["jenkins: parallel branches, sandboxed to plain"] = ratio
    section.tables.append(
        Table(
            ["200 branches in parallel", "ms"],
            [["plain", ms(statistics.median(plain))], ["in `sandbox`", ms(statistics.median(ours))], ["ratio", f"{ratio:.2f}"]],
        )
    )
    trips = {kind: statistics.median(figures["trips", kind]) for kind in ("plain", "sandboxed", "plain-twice", "sandboxed-twice")}
    once, twice = trips["sandboxed"] - trips["plain"], trips["sandboxed-twice"] - trips["plain-twice"]
    section.figures["jenkins: round trips per launch"] = (twice - once) / IN_A_ROW
    section.figures["jenkins: round trips per block"] = 2 * once - twice
    xml = {kind: values[0] for (which, kind), values in figures.items() if which == "xml"}
    section.figures["jenkins: bytes per distinct outcome"] = (xml["three-distinct"] - xml["one"]) / 2
    section.figures["jenkins: bytes per repeated outcome"] = (
        (xml["hundred-and-one"] - xml["one"]) - (xml["none-hundred-and-one"] - xml["none"])
    ) / 100
    section.tables.append(
        Table(
            ["calls to the agent that wait for an answer", "plain", "in `sandbox`"],
            [
                ["20 steps and their build", f"{trips['plain']:.0f}", f"{trips['sandboxed']:.0f}"],
                ["40 steps and their build", f"{trips['plain-twice']:.0f}", f"{trips['sandboxed-twice']:.0f}"],
                ["added by each launch", "", f"{(twice - once) / IN_A_ROW:.2f}"],
                ["added by the block", "", f"{2 * once - twice:.0f}"],
            ],
        )
    )
    heap = figures["heap", "launch"][0]
    section.figures["jenkins: heap bytes per launch"] = heap
    section.tables.append(
        Table(
            ["what is kept: build.xml", "bytes"],
            [
                ["without a sandbox", f"{xml['none']:.0f}"],
                ["... 101 launches", f"{xml['none-hundred-and-one']:.0f}"],
                ["one launch", f"{xml['one']:.0f}"],
                ["101 launches alike", f"{xml['hundred-and-one']:.0f}"],
                ["three launches with three profiles", f"{xml['three-distinct']:.0f}"],
                ["per further outcome that is another", f"{section.figures['jenkins: bytes per distinct outcome']:.0f}"],
                ["per launch with an outcome that was there, beyond what it takes without a sandbox", f"{section.figures['jenkins: bytes per repeated outcome']:.1f}"],
                ["heap of the controller per launch that is listed, while the build is in memory", f"{heap:.0f}"],
                ["the file beside it, per launch", f"{(xml['log-of-hundred-and-one'] - xml['log-of-one']) / 100:.0f}"],
            ],
        )
    )
    return section
