#!/usr/bin/python3
"""As much of systemctl as documents use, for machines of tests without systemd: it reads units as they are, and runs them."""
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

STATE = "/run/units"
FOLDERS = ("/etc/systemd/system", "/lib/systemd/system")
PATIENCE = 20  # seconds that a unit may take to be ready or to end


def name_of(unit):
    return re.sub(r"\.service$", "", os.path.basename(unit))


def settings_of(unit):
    paths = [unit] if unit.startswith("/") else [f"{folder}/{name_of(unit)}.service" for folder in FOLDERS]
    for path in paths:
        if os.path.exists(path):
            break
    else:
        sys.exit(f"Unit {unit} could not be found.")
    settings = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            key, sign, value = line.strip().partition("=")
            if sign and not key.startswith(("#", ";")):
                settings.setdefault(key, []).append(value)
    return settings


def words_of(line, environment):
    words = []
    for word in shlex.split(line.lstrip("-")):
        variable = re.fullmatch(r"\$([A-Z_]+)", word)
        if variable:
            words += shlex.split(environment.get(variable[1], ""))
        else:
            words.append(word.replace("$$", "$").replace("%%", "%"))
    return words


def environment_of(settings):
    environment = dict(os.environ)
    for path in settings.get("EnvironmentFile", []):
        if not os.path.exists(path.lstrip("-")):
            continue
        with open(path.lstrip("-"), encoding="utf-8") as lines:
            for line in lines:
                key, sign, value = line.strip().partition("=")
                if sign and not key.startswith("#"):
                    environment[key] = " ".join(shlex.split(value))
    return environment


def before(settings, name):
    """What each command of the unit is run by: its network, and its account."""
    network = "test" if name.startswith("hourglass-bundle") else "machine"
    command = ["nsenter", f"--net=/run/net-of-{network}"]
    user = settings.get("User", [""])[-1]
    if user:
        command += ["setpriv", "--reuid", user, "--regid", settings.get("Group", [user])[-1], "--init-groups"]
    for key, parent in (("RuntimeDirectory", "/run"), ("StateDirectory", "/var/lib")):
        for folder in settings.get(key, []):
            os.makedirs(f"{parent}/{folder}", exist_ok=True)
            if user:
                subprocess.run(["chown", user, f"{parent}/{folder}"], check=True)
    return command


def runs(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def stop(unit):
    path = f"{STATE}/{name_of(unit)}"
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8") as file:
        pid = int(file.read())
    os.remove(path)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if runs(pid):
            os.kill(pid, number)
        end = time.monotonic() + PATIENCE
        while runs(pid) and time.monotonic() < end:
            time.sleep(0.02)


def start(unit):
    name = name_of(unit)
    settings = settings_of(unit)
    environment = environment_of(settings)
    command = before(settings, name)
    for line in settings.get("ExecStartPre", []):
        if subprocess.run(command + words_of(line, environment), env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            sys.exit(f"Job for {name} failed before it started: {line}")
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    address = f"{STATE}/{name}.notify"
    if os.path.exists(address):
        os.remove(address)
    ready.bind(address)
    os.chmod(address, 0o777)
    ready.settimeout(PATIENCE)
    environment["NOTIFY_SOCKET"] = address
    with open(f"/var/log/unit-{name}.log", "ab") as log:
        process = subprocess.Popen(command + words_of(settings["ExecStart"][-1], environment), env=environment,
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    with open(f"{STATE}/{name}", "w", encoding="utf-8") as file:
        file.write(str(process.pid))
    try:
        while settings.get("Type") == ["notify"] and b"READY=1" not in ready.recv(4096):
            pass
    except socket.timeout:
        with open(f"/var/log/unit-{name}.log", encoding="utf-8", errors="replace") as log:
            sys.exit(f"Job for {name} failed:\n{log.read()}")
    for line in settings.get("ExecStartPost", []):
        if subprocess.run(command + words_of(line, environment), env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            stop(unit)
            sys.exit(f"Job for {name} failed after it started: {line}")


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    now = "--now" in sys.argv
    verb, units = words[0], words[1:]
    for unit in units:
        if verb in ("stop", "restart") or (verb == "disable" and now):
            stop(unit)
        if verb in ("start", "restart") or (verb == "enable" and now):
            start(unit)
    if verb not in ("start", "stop", "restart", "enable", "disable", "daemon-reload"):
        sys.exit(f"systemctl {verb} is not known to tests")


main()
