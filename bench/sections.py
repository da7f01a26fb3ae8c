"""What is measured. Each section returns a Section: tables for the page, and the figures that are held against targets."""

import json
import os
import re
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness import ROOT, Bench, Contender, Failed, Plan, firejail, missing, say

TRUE = ["/bin/true"]


@dataclass
class Table:
    columns: list[str]
    rows: list[list[str]]
    title: str = ""


@dataclass
class Section:
    title: str
    text: str
    tables: list[Table] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    bars: list[tuple[str, float, bool]] = field(default_factory=list)  # label, milliseconds, one of ours
    notes: list[str] = field(default_factory=list)


def ms(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def lines(contenders: list[Contender], base: Contender | None, plain: Contender | None = None) -> list[list[str]]:
    rows = []
    for contender in contenders:
        low, high = contender.spread()
        row = [contender.name, ms(contender.median()), f"{ms(low)} to {ms(high)}"]
        if plain is not None:
            row.append(f"{contender.ratio(plain):.2f}")
        if base is not None:
            row.append(f"{contender.ratio(base):.2f}")
        rows.append(row)
    return rows


def start(bench: Bench) -> Section:
    """Start-up of one launch, against what people would use instead."""
    strict = Plan(bench, "strict", "--profile", "strict")
    empty = bench.directory / "no-repository"
    empty.mkdir()
    bench.own()
    scratch = Plan(bench, "strict-scratch", "--profile", "strict", "--home", "scratch", workspace=empty)
    offline = Plan(bench, "offline", "--profile", "offline")
    plain = Contender("/bin/true alone", TRUE)
    bwrap = strict.bubblewrap("bubblewrap, the view of `strict`", TRUE)
    ours = strict.contender("**strict**, all rows read back", TRUE)
    contenders = [
        plain,
        Contender("unshare: user, pid, mount, /proc", ["unshare", "-Urmpf", "--mount-proc", *TRUE]),
        bwrap,
        strict.bubblewrap("bubblewrap, the view of `offline`", TRUE, "--unshare-net"),
        Plan(bench, "standard", "--profile", "standard").contender("**standard**", TRUE),
        ours,
        scratch.contender("**strict**, scratch home, no repository", TRUE),
        offline.contender("**offline**", TRUE),
        Plan(bench, "locked", "--profile", "locked").contender("**locked**", TRUE),
        scratch.bubblewrap("bubblewrap, the view without overlays", TRUE),
    ]
    section = Section("Start-up", "")
    crun = jail = None
    if not missing(["crun"]):
        crun = strict.crun("crun, an OCI bundle of the view of `strict`", TRUE)
        contenders.append(crun)
    if not missing(["firejail"]):
        jail = firejail(bench, "firejail", TRUE)
        contenders.append(jail)
    for contender in [crun, jail]:
        if contender is not None:
            why_not = bench.works(contender)
            if why_not:
                contenders.remove(contender)
                section.notes.append(f"{contender.name} does not start here: {why_not.splitlines()[-1]}")
    bench.turns(contenders, 12)
    section.text = (
        "Whole launches of `/bin/true` from the native launcher's `execve` to the end of the last of its processes, with a plan"
        " that `process-sandbox plan` wrote, no gate, and the report in a file. bubblewrap has the same mounts and namespaces,"
        " but no filter, no Landlock, no read-back, and it ends before its namespaces are taken down, which goes on behind it."
        + ("" if "--overlay" in bwrap.words else " This version of it has no overlay: it binds what an overlay would write to.")
    )
    section.tables.append(
        Table(["", "median ms", "10th to 90th percentile", "to plain", "to bubblewrap"], lines(contenders, bwrap, plain))
    )
    section.figures["start: strict to bubblewrap"] = ours.ratio(bwrap)
    section.figures["start: strict without the overlay to bubblewrap"] = contenders[6].ratio(contenders[9])
    if jail in contenders:
        section.figures["start: strict to firejail"] = ours.ratio(jail)
        section.figures["start: standard to firejail"] = contenders[4].ratio(jail)
        section.figures["start: plain to firejail"] = plain.ratio(jail)
    section.bars = [(c.name.replace("*", "").replace("`", ""), c.median(), "**" in c.name) for c in contenders]
    times = []
    report = strict.directory / "report"
    launcher = strict.directory / "sandbox-launcher"
    shutil.copy(launcher, f"{launcher}.new")
    os.replace(f"{launcher}.new", launcher)
    bench.own()
    count = max(100, round(1000 * bench.scale))
    done = bench.run([bench.compile("at_once"), "1", str(count), *ours.words])
    times = [float(line) for line in done.stdout.split()]
    report.write_text("")
    section.tables.append(
        Table(
            ["launch", "ms"],
            [
                ["the very first of a fresh binary", ms(times[0])],
                ["2nd to 50th, median", ms(statistics.median(times[1:50]))],
                [f"{count - 49}th to {count}th, median", ms(statistics.median(times[-50:]))],
            ],
            f"The first launch and the {count}th, one after another",
        )
    )
    return section


def many(bench: Bench) -> Section:
    """1, 8 and 64 launches at once."""
    # In Jenkins each of them would have overlays of its own; launches of one plan would share theirs, which the kernel forbids.
    empty = bench.directory / "no-repository"
    empty.mkdir()
    bench.own()
    strict = Plan(bench, "strict", "--profile", "strict", "--home", "scratch", workspace=empty)
    section = Section(
        "Many at once",
        "Milliseconds per launch, all of a round started together; the round ends with the last of them. The view is that without overlays.",
    )
    rows = []
    for count, rounds in ((1, 60), (8, 30), (64, 12)):
        bwrap = strict.bubblewrap("bubblewrap", TRUE)
        ours = strict.contender("strict", TRUE)
        plain = Contender("plain", TRUE)
        bench.at_once([plain, bwrap, ours], count, rounds)
        rows.append([str(count), *(ms(c.median()) for c in (plain, bwrap, ours)), f"{ours.ratio(bwrap):.2f}"])
        section.figures[f"many: {count} at once, strict to bubblewrap"] = ours.ratio(bwrap)
    section.tables.append(Table(["at once", "plain", "bubblewrap", "**strict**", "strict to bubblewrap"], rows))
    return section


def mounts(bench: Bench) -> Section:
    """The same launch on hosts with more mounts."""
    strict = Plan(bench, "strict", "--profile", "strict")
    section = Section(
        "Mounts on the host",
        "The same launch in a mount namespace that has more mounts. A private copy of the mount table is what a mount"
        " namespace is, so the kernel's own part grows with it: `unshare --user --mount` shows how much.",
    )
    with_mounts = bench.compile("with_mounts")
    starter = bench.compile("at_once")
    here = len(Path("/proc/self/mountinfo").read_text().splitlines())
    place = bench.directory / "mounts"
    place.mkdir(exist_ok=True)
    bench.own()
    kinds = {
        "unshare --user --mount": Contender("unshare", ["unshare", "--user", "--mount", *TRUE]),
        "bubblewrap": strict.bubblewrap("bubblewrap", TRUE),
        "**strict**": strict.contender("strict", TRUE),
    }
    times: dict[str, dict[int, list[float]]] = {kind: {} for kind in kinds}
    # Below what this machine has already, there is nothing to add.
    counts = [10, 100, 1000]
    for _ in range(bench.rounds(6)):
        for count in counts:
            for kind, contender in kinds.items():
                words = [with_mounts, str(max(0, count - here)), place, starter, "1", "10", *contender.words]
                done = bench.run(words)
                times[kind].setdefault(count, []).append(statistics.median(float(t) for t in done.stdout.split()))
    rows = []
    for kind in kinds:
        growth = statistics.median(last / first for first, last in zip(times[kind][10], times[kind][1000]))
        rows.append([kind, *(ms(statistics.median(times[kind][count])) for count in counts), f"{(growth - 1) * 100:+.0f}%"])
        section.figures[f"mounts: growth of {kind.replace('*', '')}, 10 to 1000"] = growth - 1
    first = f"10 (here: {here})" if here > 10 else "10"
    section.tables.append(Table(["", f"{first} mounts: ms", "100: ms", "1000: ms", "10 to 1000"], rows))
    return section


def rules(bench: Bench) -> Section:
    """Launches with many path rules."""
    section = Section("Path rules", "`--hide` of so many files beside the profile's own rules, each of which is a mount, read back.")
    place = bench.home / "rules"
    place.mkdir(exist_ok=True)
    for i in range(500):
        (place / str(i)).touch()
    bench.own()
    plain = Plan(bench, "strict", "--profile", "strict").contender("strict", TRUE)
    rows = []
    for count in (10, 100, 500):
        options = [word for i in range(count) for word in ("--hide", str(place / str(i)))]
        try:
            plan = Plan(bench, f"rules-{count}", "--profile", "strict", *options)
        except Failed as failure:
            rows.append([str(count), "refused", str(failure).strip().splitlines()[-1][:150], "", ""])
            continue
        bwrap = plan.bubblewrap("bubblewrap", TRUE)
        ours = plan.contender("strict", TRUE)
        plain.times = []
        bench.turns([plain, bwrap, ours], 4)
        rows.append([str(count), ms(bwrap.median()), ms(ours.median()), f"{ours.ratio(bwrap):.2f}", f"{ours.ratio(plain):.2f}"])
    section.tables.append(Table(["rules", "bubblewrap ms", "**strict** ms", "to bubblewrap", "to strict without"], rows))
    return section


def syscalls(bench: Bench) -> Section:
    """What a system call costs in there."""
    (bench.workspace / "bench-file").write_text("x")
    program = [str(bench.compile("syscalls"))]
    bench.own()
    kinds = [Contender("plain", program), Contender("any filter", [*program, "--filter"])]
    for profile in ("standard", "strict", "offline", "locked"):
        options = ["--exec", program[0]] if profile == "locked" else []
        kinds.append(Plan(bench, f"syscalls-{profile}", "--profile", profile, *options).contender(profile, program))
    seen: dict[str, dict[str, list[float]]] = {kind.name: {} for kind in kinds}
    for _ in range(bench.rounds(7)):
        for kind in kinds:
            for line in bench.run(kind.words).stdout.splitlines():
                call, ns = line.split("\t")
                seen[kind.name].setdefault(call, []).append(float(ns))
    section = Section(
        "System calls",
        "Nanoseconds for one call, and in brackets the ratio to plain. The kernel keeps a bitmap of the calls that a filter"
        " allows whatever their arguments are and runs no filter for them; what is left of the difference is its entry path for"
        " any filtered process, and for paths Landlock and the mounts on the way. `any filter` is one instruction that allows everything: no filter costs less. `ioctl` and `socket` have their arguments looked at.",
    )
    rows = []
    for call, plain in seen["plain"].items():
        row = [call, f"{statistics.median(plain):.0f}"]
        for kind in kinds[1:]:
            ratio = statistics.median(a / b for a, b in zip(seen[kind.name][call], plain))
            row.append(f"{statistics.median(seen[kind.name][call]):.0f} ({ratio:.2f})")
            if kind.name == "any filter":
                section.figures[f"syscalls: {call}, any filter to plain"] = ratio
            if kind.name == "strict":
                section.figures[f"syscalls: {call}, strict to plain"] = ratio
        rows.append(row)
    section.tables.append(Table(["call", *(kind.name for kind in kinds)], rows))
    return section


CONFIGURE = """\
# As a configure script does: many small programs, and a compiler now and then.
i=0
while [ $i -lt 150 ]; do
    test "$(echo "a-b-$i" | sed 's/-/_/g')" = "a_b_$i" || exit 1
    expr $i + 1 >/dev/null; uname -s >/dev/null; cat /dev/null
    i=$((i + 1))
done
for header in stdio stdlib string unistd fcntl errno sys/stat sys/wait; do
    printf '#include <%s.h>\\nint main(void) { return 0; }\\n' $header >conftest.c
    cc -o conftest conftest.c && ./conftest || exit 1
done
rm -f conftest conftest.c
"""


def copy_sources(tree: Path, most: int) -> int:
    """Text of ordinary sizes in directories as they are: what every machine with a C compiler has."""
    count = 0
    for directory, _, names in os.walk("/usr/include"):
        place = tree / directory.lstrip("/")
        for name in names:
            source = Path(directory, name)
            if count < most and source.is_file() and source.stat().st_size < 100_000:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, place / name)
                count += 1
    return count


def work(bench: Bench) -> Section:
    """Whole pieces of work in the sandbox and outside."""
    place = bench.workspace
    (place / "configure").write_text(CONFIGURE)
    tree = place / "tree"
    tree.mkdir(exist_ok=True)
    files = copy_sources(tree, 5000)
    bench.own()
    bench.run(["tar", "-cf", "tree.tar", "tree"])
    bench.run(["sh", "-c", "cd tree && git init -q . && git add . && git -c user.name=n -c user.email=e@x commit -qm all"])
    for name in ("native", "launcher"):
        shutil.copytree(ROOT / name / "src/main", place / name / "src/main", dirs_exist_ok=True)
    shutil.copy(ROOT / "native/Makefile", place / "native/Makefile")
    bench.own()
    javac = f"rm -rf out && mkdir out && javac -proc:none -nowarn -d out -cp {place}/libraries.jar $(find launcher/src/main/java -name '*.java')"
    shutil.copy(bench.jar, place / "libraries.jar")
    script = {
        f"tar -x of {files} files": "rm -rf untar && mkdir untar && tar -xf tree.tar -C untar",
        f"find in {files} files": "for i in 1 2 3 4 5; do find tree -type f -size +1k >/dev/null; done",
        f"git status of {files} files": "cd tree && for i in 1 2 3; do git status --porcelain >/dev/null; done",
        "500 processes and a few compilers, as configure does": "sh ./configure",
        "C build: make, the launcher itself": "cd native && make -s clean all CROSS_AARCH64=none",
        "JVM build: javac, the driver": javac,
        "JVM build that reads and writes the home directory": "rm -rf ~/cache && mkdir ~/cache && cp tree.tar ~/cache/ && "
        + javac.replace("-d out", "-d ~/cache").replace("rm -rf out && mkdir out && ", ""),
    }
    strict = Plan(bench, "work", "--profile", "strict")
    section = Section(
        "Work in the sandbox",
        "Milliseconds of a whole piece of work, launch included, and the ratio of the same round.",
    )
    rows = []
    for name, text in script.items():
        command = ["/bin/sh", "-ec", text]
        plain = Contender("plain", command)
        try:
            bwrap = strict.bubblewrap("bubblewrap", command)
            ours = strict.contender("strict", command)
            bench.turns([plain, bwrap, ours], 5, runs=1)
        except Failed as failure:
            section.notes.append(f"{name}: not measured: {str(failure).strip().splitlines()[-1][:200]}")
            continue
        rows.append([name, *(ms(c.median()) for c in (plain, bwrap, ours)), f"{bwrap.ratio(plain):.3f}", f"{ours.ratio(plain):.3f}"])
        section.figures[f"work: {name.split(',')[0]}, strict to plain"] = ours.ratio(plain)
        section.figures[f"work: {name.split(',')[0]}, bubblewrap to plain"] = bwrap.ratio(plain)
    section.tables.append(
        Table(["", "plain ms", "bubblewrap ms", "**strict** ms", "bubblewrap to plain", "strict to plain"], rows)
    )
    return section


def memory(bench: Bench) -> Section:
    """What stays behind during a step."""
    strict = Plan(bench, "strict", "--profile", "strict")
    launcher = strict.directory / "sandbox-launcher"
    section = Section("Memory and size", "What stays behind while a command runs: front and init of each launch, from `/proc/PID/smaps_rollup`.")
    rows = []
    for count in (1, 64):
        words = strict.contender("strict", TRUE).words[:-1] + ["/bin/sleep", "60"]
        started = [
            subprocess.Popen(bench.as_user(words), cwd=bench.workspace, env=bench.environment(), stdin=subprocess.DEVNULL)
            for _ in range(count)
        ]
        try:
            stay = []
            for process in started:
                stay.append([process.pid, init_of(process.pid)])
            time.sleep(1)  # they give their text back when a command has run for a fifth of a second
            for what in ("Rss", "Pss", "Private_Dirty"):
                sums = [sum(rollup(pid, what) for pid in pids) for pids in stay]
                each = " + ".join(str(round(statistics.median(column))) for column in zip(*([rollup(p, what) for p in pids] for pids in stay)))
                rows.append([str(count), what, each, str(round(statistics.median(sums)))])
                section.figures[f"memory: {what} KiB of front and init, {count} at once"] = statistics.median(sums)
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait()
    section.tables.append(Table(["launches", "", "front + init, KiB", "in all, KiB per launch"], rows))
    section.figures["memory: launcher bytes"] = launcher.stat().st_size
    section.tables.append(Table(["binary", "bytes"], [["sandbox-launcher, this architecture, static", str(launcher.stat().st_size)]]))
    return section


def init_of(front: int) -> int:
    """front's only child, once the command runs."""
    for _ in range(500):
        children = Path(f"/proc/{front}/task/{front}/children").read_text().split()
        if len(children) == 1:
            below = Path(f"/proc/{children[0]}/task/{children[0]}/children").read_text().split()
            if len(below) == 1 and Path(f"/proc/{below[0]}/comm").read_text().strip() == "sleep":
                return int(children[0])
        time.sleep(0.02)
    raise Failed("the launch did not come up")


def rollup(pid: int, what: str) -> int:
    return int(re.search(rf"^{what}:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[1])


def java(bench: Bench) -> Section:
    """JMH: what the driver does for each launch."""
    say("building the JMH benchmarks")
    subprocess.run(
        ["mvn", "-q", "-B", "-Pbench", "-DskipTests", "-Dspotless.check.skip=true", "-pl", "native,launcher,bench/jmh", "package"],
        cwd=ROOT,
        check=True,
    )
    jar = bench.directory / "benchmarks.jar"
    shutil.copy(ROOT / "bench/jmh/target/benchmarks.jar", jar)
    scratch = bench.directory / "jmh-scratch"
    scratch.mkdir()
    result = bench.directory / "jmh.json"
    bench.own()
    measured = ["-f", "1", "-wi", "3", "-i", str(bench.rounds(5)), "-w", "1", "-r", "1"]
    bench.run(
        ["java", f"-Dbench.workspace={bench.workspace}", f"-Dbench.scratch={scratch}", "-jar", jar, *measured, "-rf", "json", "-rff", result]
    )
    section = Section("The driver", "JMH, microseconds for one operation under `strict`, average of an iteration of one second.")
    texts = {
        "policy": "settings to a policy (controller)",
        "profile": "a profile file, read and checked",
        "filter": "seccomp groups to a BPF program",
        "plan": "policy to plan, with every look at the file system (agent)",
        "report": "report read and judged (controller)",
        "prepareAndClose": "all of the first call's work on the agent, memory files, and taking it down",
    }
    rows = []
    for entry in json.loads(result.read_text()):
        name = entry["benchmark"].rsplit(".", 1)[1]
        score = entry["primaryMetric"]
        samples = sorted(sample for fork in score["rawData"] for sample in fork)
        rows.append([name, texts.get(name, ""), f"{statistics.median(samples):.1f}", f"{samples[0]:.1f} to {samples[-1]:.1f}"])
        section.figures[f"java: {name} us"] = statistics.median(samples)
    section.tables.append(Table(["", "", "median µs", "range"], rows))
    return section
