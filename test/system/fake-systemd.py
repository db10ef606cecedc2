"""A systemd1 on a bus, as far as runtimes talk to it: units are directories in the cgroup hierarchies that it is given.

usage: fake-systemd.py LOG HIERARCHY...    (DBUS_SYSTEM_BUS_ADDRESS: the bus). Each call is a line of JSON in LOG.
"""
import json
import os
import signal
import sys
import time

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.systemd1"
MANAGER = NAME + ".Manager"
CODES = {
    dbus.Boolean: "b", dbus.UInt32: "u", dbus.UInt64: "t", dbus.Int32: "i", dbus.Int64: "x", dbus.String: "s", dbus.Double: "d",
}
log, hierarchies = sys.argv[1], sys.argv[2:]


def plain(value):
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, (dbus.Array, dbus.Struct)):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, str) else int(value)


def signature(value):
    return "a" + str(value.signature) if isinstance(value, dbus.Array) else CODES[type(value)]


def note(method, unit, properties=()):
    with open(log, "a") as file:
        each = [[str(name), signature(value), plain(value)] for name, value in properties]
        file.write(json.dumps({"method": method, "unit": str(unit), "properties": each}) + "\n")


def slice_path(name):
    parts = name[: -len(".slice")].split("-")
    return "".join("/" + "-".join(parts[: n + 1]) + ".slice" for n in range(len(parts)))


class Failure(dbus.DBusException):
    def __init__(self, kind, text):
        super().__init__(text)
        self._dbus_error_name = NAME + "." + kind


class Manager(dbus.service.Object):
    def __init__(self, bus):
        super().__init__(bus, "/org/freedesktop/systemd1")
        self.units, self.jobs = {}, 0

    @dbus.service.method(MANAGER, in_signature="ssa(sv)a(sa(sv))", out_signature="o")
    def StartTransientUnit(self, name, mode, properties, aux):
        note("StartTransientUnit", name, properties)
        if name in self.units:
            raise Failure("UnitExists", f"Unit {name} was already loaded or has a fragment file.")
        if name.startswith("failing-"):
            return self.job(name, "failed")
        known = {str(key): value for key, value in properties}
        path = slice_path(str(known["Slice"])) + "/" + name
        self.units[str(name)] = path
        for hierarchy in hierarchies:
            os.makedirs(hierarchy + path, exist_ok=True)
            for pid in known.get("PIDs", []):
                with open(hierarchy + path + "/cgroup.procs", "w") as file:
                    file.write(str(int(pid)))
        return self.job(name, "done")

    @dbus.service.method(MANAGER, in_signature="ss", out_signature="o")
    def StopUnit(self, name, mode):
        note("StopUnit", name)
        path = self.units.pop(str(name), None)
        if path is None:
            raise Failure("NoSuchUnit", f"Unit {name} not loaded.")
        for hierarchy in hierarchies:
            self.remove(hierarchy + path)
        return self.job(name, "done")

    @dbus.service.method(MANAGER, in_signature="s")
    def ResetFailedUnit(self, name):
        note("ResetFailedUnit", name)
        raise Failure("NoSuchUnit", f"Unit {name} not loaded.")

    @dbus.service.method(MANAGER, in_signature="sba(sv)")
    def SetUnitProperties(self, name, runtime, properties):
        note("SetUnitProperties", name, properties)
        if str(name) not in self.units:
            raise Failure("NoSuchUnit", f"Unit {name} not found.")

    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return {"Version": "252.38-1~deb12u1", "ControlGroup": ""}[str(name)]

    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return {"Version": "252.38-1~deb12u1", "ControlGroup": ""}

    @dbus.service.signal(MANAGER, signature="uoss")
    def JobRemoved(self, number, job, unit, result):
        pass

    def job(self, unit, result):
        self.jobs += 1
        path = f"/org/freedesktop/systemd1/job/{self.jobs}"
        # Now and then a job is over before its caller hears of it.
        if self.jobs % 2 == 0:
            self.JobRemoved(self.jobs, path, unit, result)
        else:
            GLib.timeout_add(20, lambda: self.JobRemoved(self.jobs, path, unit, result))
        return dbus.ObjectPath(path)

    def remove(self, directory):
        for _ in range(200):
            try:
                with open(directory + "/cgroup.procs") as file:
                    pids = [int(line) for line in file]
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                os.rmdir(directory)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)


dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
owned = dbus.service.BusName(NAME, bus)
manager = Manager(bus)
print("ready", flush=True)
GLib.MainLoop().run()
