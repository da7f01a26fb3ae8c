"""docs/benchmarks.md and its chart, from the results of the sections."""

import html
from pathlib import Path

from sections import Section, Table

# What was promised, the figure that shows it, the bound, how to write it, and what was measured beside it.
TARGETS = [
    (
        "Start-up of full `strict`, verified, to bubblewrap's without filter, Landlock and read-back",
        "start: strict to bubblewrap",
        0.6,
        "{:.2f}",
        {"a view without overlays": "start: strict without the overlay to bubblewrap"},
    ),
    ("... to firejail's", "start: strict to firejail", 0.1, "{:.2f}", {"`standard`": "start: standard to firejail", "`/bin/true` alone": "start: plain to firejail"}),
    (
        "Growth from 10 to 1000 mounts of the host",
        "mounts: growth of strict, 10 to 1000",
        0.1,
        "{:+.0%}",
        {"the kernel's copy alone": "mounts: growth of unshare --user --mount, 10 to 1000", "bubblewrap": "mounts: growth of bubblewrap, 10 to 1000"},
    ),
    ("64 at once, per launch, to bubblewrap", "many: 64 at once, strict to bubblewrap", 1.1, "{:.2f}", {}),
    *(
        (f"`{call}` to plain", f"syscalls: {name}, strict to plain", 1.05, "{:.2f}", {"any filter": f"syscalls: {name}, any filter to plain"})
        for call, name in (("getppid", "getppid"), ("read", "read"), ("stat", "stat"), ("openat` and `close", "openat + close"))
    ),
    ("A C build to plain", "work: C build: make, strict to plain", 1.03, "{:.3f}", {"bubblewrap": "work: C build: make, bubblewrap to plain"}),
    ("A JVM build to plain", "work: JVM build: javac, strict to plain", 1.03, "{:.3f}", {"bubblewrap": "work: JVM build: javac, bubblewrap to plain"}),
    (
        "... that works in the home directory's overlay",
        "work: JVM build that reads and writes the home directory, strict to plain",
        1.03,
        "{:.3f}",
        {},
    ),
    ("What stays behind of one launch, resident (Rss, KiB)", "memory: Rss KiB of front and init, 1 at once", 1024, "{:.0f}", {}),
    ("What stays behind of each of 64 (Pss, KiB)", "memory: Pss KiB of front and init, 64 at once", 1024, "{:.0f}", {}),
    (
        "Jenkins: what `sandbox` adds to `sh 'true'` on a local agent, ms",
        "jenkins: added ms, built-in",
        20,
        "{:.1f}",
        {"inbound and unprivileged": "jenkins: added ms, inbound"},
    ),
    ("Jenkins: round trips that a launch adds", "jenkins: round trips per launch", 2, "{:.2f}", {"and once for each block": "jenkins: round trips per block"}),
    ("Jenkins: 200 parallel branches to plain", "jenkins: parallel branches, sandboxed to plain", 1.1, "{:.2f}", {}),
    ("Jenkins: build.xml, bytes per distinct outcome", "jenkins: bytes per distinct outcome", 300, "{:.0f}", {}),
    ("Jenkins: build.xml, bytes per repeated outcome", "jenkins: bytes per repeated outcome", 0, "{:.0f}", {}),
]


def table(it: Table) -> list[str]:
    lines = [f"{it.title}:", ""] if it.title else []
    lines.append("| " + " | ".join(it.columns) + " |")
    lines.append("|" + "|".join("---" if i == 0 else "--:" if is_number(it, i) else "---" for i in range(len(it.columns))) + "|")
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in it.rows]
    return [*lines, ""]


def is_number(it: Table, column: int) -> bool:
    cells = [row[column] for row in it.rows if row[column]]
    return bool(cells) and all(cell.lstrip("+-")[:1].isdigit() for cell in cells)


def chart(bars: list[tuple[str, float, bool]], title: str) -> str:
    """Horizontal bars, readable on a light and on a dark page."""
    height, left, width = 26, 300, 760
    most = max(value for _, value, _ in bars)
    scale = (width - left - 80) / most
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height * len(bars) + 44}" role="img"'
        f' aria-label="{html.escape(title)}" font-family="sans-serif" font-size="13">',
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="12" y="22" font-weight="bold" fill="#222222">{html.escape(title)}</text>',
    ]
    for i, (label, value, ours) in enumerate(bars):
        y = 36 + i * height
        fill = "#1f6feb" if ours else "#9aa4af"
        length = max(2.0, value * scale)
        lines.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end" fill="#222222">{html.escape(label)}</text>')
        lines.append(f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="{height - 8}" fill="{fill}"/>')
        lines.append(f'<text x="{left + length + 6:.1f}" y="{y + 15}" fill="#222222">{value:.2f} ms</text>')
    return "\n".join([*lines, "</svg>", ""])


def targets(figures: dict[str, float]) -> list[str]:
    rows = []
    for what, figure, bound, form, beside in TARGETS:
        others = "; ".join(f"{label}: {form.format(figures[name])}" for label, name in beside.items() if name in figures)
        if figure in figures:
            value = figures[figure]
            reached = float(form.format(value).rstrip("%")) <= float(form.format(bound).rstrip("%"))
            rows.append([what, form.format(bound), form.format(value), "yes" if reached else "**no**", others])
        else:
            rows.append([what, form.format(bound), "not measured", "", others])
    return table(Table(["what", "at most", "here", "reached", "beside it"], rows))


def write(directory: Path, machine: list[tuple[str, str]], sections: dict[str, Section], why: dict[str, str]) -> None:
    """Writes benchmarks.md and images/benchmarks.svg below directory."""
    figures = {name: value for section in sections.values() for name, value in section.figures.items()}
    lines = [
        "# Benchmarks",
        "",
        "Written by `bench/run`, which anyone can run again. What counts are the ratios: everything in a table ran in turns, round by",
        "round, on one machine, and a ratio is the median of the rounds' ratios. No test asserts a time.",
        "",
    ]
    lines += table(Table(["", ""], [list(pair) for pair in machine]))
    lines += ["## What was to be reached", "", *targets(figures)]
    for name, section in sections.items():
        lines += [f"## {section.title}", "", section.text, ""]
        if section.bars:
            (directory / "images").mkdir(exist_ok=True)
            (directory / "images/benchmarks.svg").write_text(chart(section.bars, f"{section.title}: milliseconds for /bin/true, median"))
            lines += [f"![{section.title}](images/benchmarks.svg)", ""]
        for it in section.tables:
            lines += table(it)
        lines += [f"*{note}*\n" for note in section.notes]
        if name in why:
            lines += [why[name].strip(), ""]
    (directory / "benchmarks.md").write_text("\n".join(lines).rstrip() + "\n")
