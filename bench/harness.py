"""How things are measured: in turns, as an unprivileged user, with medians, spreads and ratios of the same round."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USER = 65534  # who measures when root starts this


class Failed(Exception):
    """A command of the benchmark did not do what it should: there is no figure then, rather than a wrong one."""


class Unavailable(Exception):
    """This machine lacks something big; the page says so, and it is no failure."""


@dataclass
class Contender:
    """One of the things that take turns. Words, not a shell line: what is measured is the process itself."""

    name: str
    words: list[str]
    times: list[list[float]] = field(default_factory=list)  # by round, milliseconds
    around: list[str] = field(default_factory=list)  # goes around the measuring, not around what is measured
    as_root: bool = False

    def all(self) -> list[float]:
        return [time for times in self.times for time in times]

    def median(self) -> float:
        return statistics.median(self.all())

    def spread(self) -> tuple[float, float]:
        """The 10th and the 90th percentile."""
        ordered = sorted(self.all())
        return ordered[len(ordered) // 10], ordered[(len(ordered) * 9) // 10]

    def ratio(self, base: "Contender") -> float:
        """The median, over the rounds, of the ratio in one round: what slows the machine down slows both down."""
        return statistics.median(
            statistics.median(mine) / statistics.median(other) for mine, other in zip(self.times, base.times)
        )


class Bench:
    """A scratch directory of the unprivileged user with a workspace, a home and the launcher in it."""

    def __init__(self, scale: float):
        self.scale = scale
        self.root = os.geteuid() == 0
        # Not in /tmp: most profiles replace it, and what is measured must be seen inside.
        self.directory = Path(tempfile.mkdtemp(prefix="process-sandbox-bench-", dir="/var/tmp"))
        self.directory.chmod(0o755)
        self.workspace = self.directory / "workspace"
        self.home = self.directory / "home"
        self.jar = self.directory / "process-sandbox.jar"
        for directory in (self.workspace, self.home, self.home / ".ssh", self.home / ".m2"):
            directory.mkdir()
        (self.home / ".netrc").write_text("machine example.org login x password y\n")
        shutil.copy(ROOT / "launcher/target/process-sandbox.jar", self.jar)
        self.own()
        self.run(["git", "init", "-q", "."])

    def own(self):
        """Gives everything to the user that measures."""
        if self.root:
            for directory, names, files in os.walk(self.directory):
                for name in ["."] + names + files:
                    os.chown(os.path.join(directory, name), USER, USER, follow_symlinks=False)

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def rounds(self, count: int) -> int:
        return max(3 if self.scale >= 0.2 else 1, round(count * self.scale))

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.directory),
        }

    def as_user(self, words: list[str]) -> list[str]:
        if not self.root:
            return words
        return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--", *words]

    def run(self, words: list[str], check: bool = True, as_root: bool = False) -> subprocess.CompletedProcess:
        words = [str(word) for word in words]
        done = subprocess.run(
            words if as_root else self.as_user(words),
            cwd=self.workspace,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            said = (done.stderr[-2000:] + done.stdout[-500:]).strip()
            raise Failed(f"{' '.join(words)[:300]}: status {done.returncode}\n{said}")
        return done

    def compile(self, name: str) -> Path:
        """A program of bench/c, in the workspace, where the sandbox sees it."""
        program = self.workspace / name
        if not program.exists():
            source = ROOT / "bench/c" / f"{name}.c"
            subprocess.run(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
            self.own()
        return program

    def works(self, contender: Contender) -> str:
        """Why it does not, or nothing."""
        try:
            self.run([*contender.around, *contender.words], as_root=contender.as_root)
        except Failed as failure:
            return str(failure)
        return ""

    def turns(self, contenders: list[Contender], rounds: int, runs: int = 5) -> list[Contender]:
        """hyperfine, a few runs of each contender after another, round by round."""
        rounds = self.rounds(rounds)
        for contender in contenders:
            self.run([*contender.around, *contender.words], as_root=contender.as_root)  # fails here, and warms up
        result = self.directory / "hyperfine.json"
        for _ in range(rounds):
            for contender in contenders:
                measured = ["hyperfine", "-N", "--style=none", f"--runs={runs}", f"--export-json={result}", quoted(contender.words)]
                self.run([*contender.around, *measured], as_root=contender.as_root)
                times = json.loads(result.read_text())["results"][0]["times"]
                contender.times.append([time * 1000 for time in times])
        return contenders

    def at_once(self, contenders: list[Contender], count: int, rounds: int) -> list[Contender]:
        """Each time is that of one launch, the whole round divided by the count."""
        rounds = self.rounds(rounds)
        starter = self.compile("at_once")
        for contender in contenders:
            self.run([*contender.around, *contender.words])
        for _ in range(rounds):
            for contender in contenders:
                done = self.run([*contender.around, starter, str(count), "1", *contender.words])
                contender.times.append([float(done.stdout) / count])
        return contenders


def quoted(words: list[str]) -> str:
    """One line for hyperfine, which splits it again as a shell would."""
    return " ".join("'" + str(word).replace("'", "'\\''") + "'" for word in words)


class Plan:
    """What `process-sandbox.jar plan` wrote: the launcher's words, and the same view in the words of others."""

    def __init__(self, bench: Bench, name: str, *options: str, workspace: Path | None = None):
        self.bench = bench
        self.workspace = workspace or bench.workspace
        self.around = ["env", "-C", str(workspace)] if workspace else []
        self.directory = bench.directory / "plans" / name
        self.directory.parent.mkdir(exist_ok=True)
        bench.own()
        bench.run(["java", "-jar", bench.jar, "plan", "--output", self.directory, "--workspace", self.workspace, *options])
        words = (self.directory / "args").read_bytes().decode().split("\0")
        self.words = words[: words.index("end")]

    def contender(self, name: str, command: list[str]) -> Contender:
        """Checked once: every row that was asked for must be applied, or it would be something else that is measured."""
        words = [str(self.directory / "sandbox-launcher"), "--args", str(self.directory / "args"), "--", *command]
        report = self.directory / "report"
        report.write_text("")
        self.bench.run([*self.around, *words])
        lost = [line for line in report.read_text().splitlines() if re.match(r"\w+ (failed|unavailable)|.* no overlay", line)]
        if lost or "\nready\n" not in report.read_text():
            raise Failed(f"{name}: not everything is applied here: {lost or report.read_text()}")
        report.write_text("")
        return Contender(name, words, around=self.around)

    def mounts(self) -> list[tuple[str, list[str]]]:
        """The steps of the view in order."""
        arity = {"--bind": 2, "--ro-bind": 2, "--bind-control": 2, "--tmpfs": 2, "--overlay": 3, "--dev": 1, "--hide": 1}
        arity |= {"--overlay-or-ro": 3, "--symlink": 2}
        steps, at = [], 0
        while at < len(self.words):
            option = self.words[at].removesuffix("-noexec")
            count = arity.get(option, 0)
            if count:
                steps.append((option.removesuffix("-or-ro"), self.words[at + 1 : at + 1 + count]))
            at += 1 + count
        return steps

    def bubblewrap(self, name: str, command: list[str], *options: str) -> Contender:
        """
        bubblewrap with the same namespaces and the same view. It has no Landlock here, no filter and no read-back, and
        mounts a writable directory where the version at hand has no overlay.
        """
        words = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"]
        words += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", *options, "--ro-bind", "/", "/"]
        words += ["--proc", "/proc"]
        overlay = "--overlay-src" in self.bench.run(["bwrap", "--help"]).stdout
        for option, values in self.mounts():
            if option == "--hide":
                words += ["--tmpfs", values[0]] if os.path.isdir(values[0]) else ["--ro-bind", "/dev/null", values[0]]
            elif option in ("--tmpfs", "--dev"):
                words += [option, values[0]]
            elif option == "--overlay" and overlay:
                # Layers of its own: ours are marked as volatile, and no other mount takes those.
                layers = [f"{layer}-bubblewrap" for layer in values[1:]]
                for layer in layers:
                    self.bench.run(["mkdir", "-p", layer])
                words += ["--overlay-src", values[0], "--overlay", *layers, values[0]]
            elif option == "--overlay":
                words += ["--bind", values[0], values[0]]
            else:
                words += ["--bind" if option == "--bind-control" else option, *values]
        words += ["--chdir", str(self.workspace), "--", *command]
        return Contender(name, words, around=self.around)

    def crun(self, name: str, command: list[str]) -> Contender:
        """crun without a daemon, with an OCI bundle of the same namespaces and, so far as a bundle can say it, the view."""
        bundle = self.directory / "bundle"
        (bundle / "state").mkdir(parents=True, exist_ok=True)
        root = bundle / "rootfs"
        root.mkdir(exist_ok=True)
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"}]
        links = {}
        for entry in sorted(Path("/").iterdir()):
            if entry.name in ("proc", "dev", "lost+found"):
                continue
            if entry.is_symlink():
                links[entry.name] = os.readlink(entry)
            elif entry.is_dir():
                mounts.append({"destination": str(entry), "source": str(entry), "options": ["rbind", "ro", "nosuid", "nodev"]})
        for name_, target in links.items():
            if not (root / name_).is_symlink():
                (root / name_).symlink_to(target)
        mounts.append({"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]})
        for option, values in self.mounts():
            options = ["nosuid", "nodev"]
            if option == "--hide":
                source = None if os.path.isdir(values[0]) else "/dev/null"
                mounts.append(
                    {"destination": values[0], "source": source, "options": ["bind", "ro"]}
                    if source
                    else {"destination": values[0], "type": "tmpfs", "source": "tmpfs", "options": ["ro", *options]}
                )
            elif option == "--tmpfs":
                mounts.append({"destination": values[0], "type": "tmpfs", "source": "tmpfs", "options": options})
            elif option == "--overlay":
                mounts.append({"destination": values[0], "source": values[1], "options": ["rbind", *options]})
            elif option in ("--bind", "--bind-control", "--ro-bind"):
                mode = ["ro"] if option == "--ro-bind" else []
                mounts.append({"destination": values[1], "source": values[0], "options": ["rbind", *options, *mode]})
        uid, gid = (USER, USER) if self.bench.root else (os.getuid(), os.getgid())
        config = {
            "ociVersion": "1.0.2",
            "root": {"path": "rootfs", "readonly": False},
            "process": {
                "terminal": False,
                "user": {"uid": uid, "gid": gid},
                "args": command,
                "env": [f"{key}={value}" for key, value in self.bench.environment().items()],
                "cwd": str(self.bench.workspace),
                "noNewPrivileges": True,
                "capabilities": {},
            },
            "mounts": mounts,
            "linux": {
                "namespaces": [{"type": kind} for kind in ("user", "pid", "mount", "ipc", "uts", "cgroup")],
                "uidMappings": [{"containerID": uid, "hostID": uid, "size": 1}],
                "gidMappings": [{"containerID": gid, "hostID": gid, "size": 1}],
            },
        }
        (bundle / "config.json").write_text(json.dumps(config))
        self.bench.own()
        words = ["crun", f"--root={bundle / 'state'}", "--cgroup-manager=disabled", "run", f"--bundle={bundle}", "bench"]
        contender = Contender(name, words)
        if "hybrid" in self.bench.works(contender):
            # cgroup v1 beside v2: crun wants one of them, so it sees v2 alone.
            contender.around = ["unshare", "-U", "-m", "-C", f"--map-user={uid}", f"--map-group={gid}", "--keep-caps"]
            contender.around += ["sh", "-ec", 'mount -t cgroup2 none /sys/fs/cgroup; exec "$@"', "sh"]
        return contender


def firejail(bench: Bench, name: str, command: list[str]) -> Contender:
    """firejail with what its options offer of the same; set-uid root, so another trade."""
    words = ["firejail", "--noprofile", "--caps.drop=all", "--nonewprivs", "--seccomp", "--private-dev"]
    words += ["--private-tmp", "--ipc-namespace", "--read-only=/", f"--read-write={bench.workspace}", "--blacklist=/run/user"]
    words += [f"--blacklist={bench.home}/.ssh", f"--blacklist={bench.home}/.netrc", "--", *command]
    contender = Contender(name, words)
    if bench.root and "not allowed" in bench.works(contender):
        contender.as_root = True  # its list of users leaves ours out
        contender.name += ", by root"
    return contender


def missing(tools: list[str]) -> list[str]:
    return [tool for tool in tools if shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None]


def say(text: str):
    print(text, file=sys.stderr, flush=True)
