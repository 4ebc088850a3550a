import json, os, select, socket, sys, time

DIR = os.environ["DIR"]
PATIENCE = 60  # seconds, for whatever is waited for
true, false, null = True, False, None  # what is sent is JSON


class Shows(Exception):
    """The failure shows."""


def gone(pid):
    """Whether the process has ended."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class Side:
    """One QEMU, by its QMP socket."""

    def __init__(self, name, variable, pid):
        self.name, self.text, self.answers = name, b"", []
        self.events, self.statuses, self.passes, self.port = [], [], 0, None
        due = time.monotonic() + PATIENCE
        while True:
            try:
                self.link = socket.socket(socket.AF_UNIX)
                self.link.connect(f"{DIR}/{name}.qmp")
                break
            except OSError:
                if gone(pid):
                    raise Shows(
                        f"the {name}'s QEMU has ended before it could be asked, and said why above: name by {variable} "
                        "one that takes the command line of this script"
                    ) from None
                if time.monotonic() > due:
                    raise Shows(f"the {name}'s QEMU, which {variable} names, has no QMP socket within {PATIENCE} s") from None
                time.sleep(0.05)
        SIDES.append(self)
        wait(lambda: self.answers, f"a greeting of the {name}'s QEMU")
        version = self.answers.pop()["QMP"]["version"]["qemu"]
        print(f"{name}: QEMU {version['major']}.{version['minor']}.{version['micro']}")
        self.ask("qmp_capabilities", {})

    def hear(self):
        """Takes in what has come."""
        try:
            heard = self.link.recv(65536)
        except ConnectionError:
            heard = b""
        if not heard:
            raise Shows(f"the {self.name}'s QEMU has ended")
        *lines, self.text = (self.text + heard).split(b"\n")
        for line in filter(None, map(bytes.strip, lines)):
            self.take(json.loads(line))

    def take(self, said):
        if "event" not in said:
            self.answers.append(said)
            return
        event, data = said["event"], said.get("data", {})
        print(f"{self.name}: {event} {json.dumps(data)}")
        self.events.append(event)
        if event == "MIGRATION":
            self.statuses.append(data["status"])
        if event == "MIGRATION_PASS":
            self.passes = data["pass"]

    def ask(self, command, arguments):
        try:
            self.link.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        except ConnectionError:
            raise Shows(f"the {self.name}'s QEMU has ended") from None
        wait(lambda: self.answers, f"an answer of the {self.name} to {command}")
        return self.answers.pop(0)

    def error(self):
        try:
            said = self.ask("query-migrate", {}).get("return", {})
        except Shows as why:
            return str(why)
        return said.get("error-desc", "no reason is given")

    def lap(self):
        """How many laps the guest has done: it counts them in its memory."""
        said = self.ask("human-monitor-command", {"command-line": f"xp /2xw {LAP:#x}"}).get("return", "")
        words = said.split()
        return int(words[1], 16) if len(words) == 3 and int(words[2], 16) == LAP ^ MARK else None


SIDES = []


def wait(holds, what):
    """Waits until it holds; meanwhile all that QEMU says is heard."""
    due = time.monotonic() + PATIENCE
    while not holds():
        left = due - time.monotonic()
        if left < 0:
            raise Shows(f"{what}: not within {PATIENCE} s")
        links = {side.link: side for side in SIDES}
        for link in select.select(list(links), [], [], min(left, 0.2))[0]:
            links[link].hear()


def told(value):
    text = json.dumps(value).replace("@DIR@", DIR)
    return json.loads(text.replace("@PORT@", str(destination.port)))


def send(side, command, arguments):
    """Sends a command that is to be done."""
    arguments = told(arguments)
    print(f"{side.name} <- {json.dumps({'execute': command, 'arguments': arguments})}")
    answer = side.ask(command, arguments)
    if "error" in answer:
        raise Shows(f"the {side.name} refuses {command}: {answer['error']['desc']}")
    if command == "migrate-incoming":
        listening = side.ask("query-migrate", {}).get("return", {}).get("socket-address", [{}])
        side.port = listening[0].get("port")


def refused(side, command, arguments):
    """Sends a command that is to be refused."""
    answer = side.ask(command, told(arguments))
    print(f"{side.name} <- {command}: {json.dumps(answer)}")
    if "error" not in answer:
        raise Shows(f"the {side.name} does not refuse {command}")


def reaches(side, status):
    """Waits until the migration has come to a status."""
    ends = {"completed", "failed", "cancelled"}

    def over():
        ended = [one for one in side.statuses if one in ends]
        lost = side is destination and status != "failed" and "failed" in source.statuses
        return status in side.statuses or ended or lost

    wait(over, f"the status {status} of the {side.name}")
    if status not in side.statuses:
        came = (side.statuses or ["none"])[-1]
        raise Shows(f"the migration on the {side.name} is {came}, and not {status}: {side.error()}")


def passes():
    """Waits until a second pass over the guest's memory has begun."""
    wait(lambda: source.passes >= 2 or source.statuses[-1:] != ["active"], "a further pass")


def sleeps(side):
    wait(lambda: "SUSPEND" in side.events, "the event SUSPEND")


def stream():
    """Waits until the stream lies in its file."""
    wait(lambda: os.path.exists(f"{DIR}/stream"), "the stream's file")


def laps(side, seconds):
    """Whether the guest goes on within so many seconds."""
    due, first = time.monotonic() + seconds, side.lap()
    while time.monotonic() < due:
        time.sleep(0.05)
        if side.lap() not in (None, first):
            return True
    return False


def boots(side):
    wait(lambda: (side.lap() or 0) >= 2, "the guest to begin")


def whole(side):
    """Holds the guest still: each sector of its range has its own mark, and the lap goes down once, by one."""
    side.ask("stop", {})
    size = END - START
    side.ask("pmemsave", {"val": START, "size": size, "filename": f"{DIR}/saved"})
    with open(f"{DIR}/saved", "rb") as file:
        memory = file.read()
    steps, before = 0, None
    for at in range(0, size, 512):
        lap, mark = memory[at : at + 4], ((START + at) ^ MARK).to_bytes(4, "little")
        if memory[at + 4 : at + 512] != mark * 127:
            raise Shows(f"the guest's memory at {START + at:#x} is not what it has written there")
        lap = int.from_bytes(lap, "little")
        if before not in (None, lap):
            steps += 1
            if steps > 1 or before != (lap + 1) % 2**32:
                raise Shows(f"the guest's memory at {START + at:#x} is of lap {lap}, and what is before it of {before}")
        before = lap


def ends(here, there, runs):
    """The guest is here and not there, and goes on or is still."""
    status = there.ask("query-status", {}).get("return", {})
    if status.get("running"):
        raise Shows(f"the guest runs on the {there.name} as well")
    status = here.ask("query-status", {}).get("return", {})
    if status.get("running") != runs:
        raise Shows(f"the guest on the {here.name} is {status.get('status')}")
    if laps(here, 10 if runs else 0.5) != runs:
        raise Shows(f"the guest on the {here.name} {'stands still' if runs else 'goes on'}")
    whole(here)
