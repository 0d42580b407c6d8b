#!/usr/bin/env python3
"""Exercises a ZooKeeper server with kazoo: HOST:PORT [--words]. Prints one line a check; exit 1 on failure.

With --words the server must answer all four-letter words (4lw.commands.whitelist=*).
"""
import socket
import sys
import threading
import time
import uuid

from kazoo.client import KazooClient
from kazoo.exceptions import (
    BadVersionError, NodeExistsError, NoAuthError, NoChildrenForEphemeralsError, NoNodeError,
    NotEmptyError, RolledBackError, RuntimeInconsistency,
)
from kazoo.security import make_acl, make_digest_acl

hosts = sys.argv[1]
failures = 0


def check(name, condition):
    global failures
    print(("ok   " if condition else "FAIL ") + name, flush=True)
    failures += 0 if condition else 1


def raises(kind, action):
    try:
        action()
    except kind:
        return True
    return False


def client(**options):
    one = KazooClient(hosts=hosts, timeout=options.pop("timeout", 6), **options)
    one.start(10)
    return one


def word(text):
    host, port = hosts.split(",")[0].split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(text.encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer.decode()


root = "/kazoo-" + uuid.uuid4().hex[:8]
zk = client()
other = client()

check("create", zk.create(root, b"root") == root)
check("get", zk.get(root)[0] == b"root")
check("a second create is refused", raises(NodeExistsError, lambda: zk.create(root)))
stat = zk.set(root, b"two", version=0)
check("set counts versions", stat.version == 1 and stat.dataLength == 3)
check("a stale version is refused", raises(BadVersionError, lambda: zk.set(root, b"x", version=0)))
check("missing node", raises(NoNodeError, lambda: zk.get(root + "/none")))
check("exists of a missing node", zk.exists(root + "/none") is None)

names = [zk.create(root + "/s-", sequence=True) for _ in range(3)]
check("sequence numbers", [name[-10:] for name in names] == ["0000000000", "0000000001", "0000000002"])
children, stat = zk.get_children(root, include_data=True)
check("children", sorted(children) == [name.rsplit("/", 1)[1] for name in names])
check("numbers of children", stat.numChildren == 3 and stat.cversion == 3)
check("a parent stays", raises(NotEmptyError, lambda: zk.delete(root)))
zk.delete(names[0])
check("delete", zk.exists(names[0]) is None and zk.exists(root).cversion == 4)

path, stat = zk.create(root + "/with-stat", b"abc", include_data=True)
check("create2", path == root + "/with-stat" and stat.dataLength == 3 and stat.czxid == stat.mzxid)

events = []
seen = threading.Event()


def watcher(event):
    events.append((event.type, event.path))
    seen.set()


def await_event():
    result = seen.wait(5)
    seen.clear()
    return result


other.get(root, watch=watcher)
zk.set(root, b"three")
check("data watch", await_event() and events[-1] == ("CHANGED", root))
zk.set(root, b"four")
other.get_children(root, watch=watcher)
zk.create(root + "/watched")
check("child watch, and the data watch was gone", await_event() and events[-1] == ("CHILD", root) and len(events) == 2)
other.exists(root + "/later", watch=watcher)
zk.create(root + "/later")
check("exists watch", await_event() and events[-1] == ("CREATED", root + "/later"))
other.get(root + "/later", watch=watcher)
other.get_children(root + "/later", watch=watcher)
zk.delete(root + "/later")
time.sleep(0.2)
check("delete is told", await_event() and events[-1] == ("DELETED", root + "/later"))

t = zk.transaction()
t.create(root + "/t", b"1")
t.set_data(root + "/t", b"22", version=0)
t.check(root, 3)
t.delete(root + "/watched")
results = t.commit()
check("multi", results[0] == root + "/t" and results[1].version == 1 and results[1].dataLength == 2)
t = zk.transaction()
t.create(root + "/u")
t.check(root, 99)
t.create(root + "/v")
results = t.commit()
check("a failed multi", [type(one) for one in results] == [RolledBackError, BadVersionError, RuntimeInconsistency])
check("does nothing", zk.exists(root + "/u") is None)

other.create(root + "/e", ephemeral=True)
check("ephemeral owner", zk.exists(root + "/e").ephemeralOwner == other.client_id[0])
check("no children for it", raises(NoChildrenForEphemeralsError, lambda: zk.create(root + "/e/x")))
zk.exists(root + "/e", watch=watcher)
other.stop()
check("it goes with its session", await_event() and zk.exists(root + "/e") is None)
check("sync", zk.sync(root) == root)

owner = client(auth_data=[("digest", "joe:secret")])
acl = [make_acl("auth", "", all=True)]
owner.create(root + "/secret", b"s", acl=acl)
check("digest: the owner reads", owner.get(root + "/secret")[0] == b"s")
check("digest: nobody else", raises(NoAuthError, lambda: zk.get(root + "/secret")))
check("acl as kept", owner.get_acls(root + "/secret")[0] == [make_digest_acl("joe", "secret", all=True)])
owner.set_acls(root + "/secret", [make_acl("world", "anyone", read=True), make_acl("ip", "127.0.0.1", write=True)])
check("set acl", zk.get(root + "/secret")[0] == b"s" and zk.set(root + "/secret", b"t").version == 1)
owner.stop()

lock = zk.Lock(root + "/lock", "me")
check("lock recipe", lock.acquire(timeout=5) and zk.Lock(root + "/lock").contenders() == ["me"])
lock.release()
big = b"x" * 1_000_000
zk.create(root + "/big", big)
check("a megabyte", zk.get(root + "/big")[0] == big)
many = [zk.create_async(root + "/s-", b"", sequence=True) for _ in range(2000)]
paths = [one.get(10) for one in many]
check("2000 pipelined creates, in order", paths == sorted(paths) and len(set(paths)) == 2000)

check("srvr", "Mode: standalone" in word("srvr"))
if "--words" in sys.argv:
    check("ruok", word("ruok") == "imok")
    check("mntr", "zk_znode_count\t" in word("mntr"))
    check("stat", "Clients:" in word("stat"))
    check("conf", word("conf").startswith("clientPort="))
    check("cons", "sid=0x%x" % zk.client_id[0] in word("cons"))
    check("dump", "\t0x%x" % zk.client_id[0] in word("dump"))
    zk.get(root, watch=watcher)
    check("wchs", "Total watches:" in word("wchs"))
    check("wchc", "\t" + root + "\n" in word("wchc"))
    check("wchp", root + "\n\t0x%x\n" % zk.client_id[0] in word("wchp"))
    check("dirs", "logdir_size: " in word("dirs"))
    check("isro", word("isro") == "rw")
    check("srst", word("srst") == "Server stats reset.\n")
    check("crst", word("crst") == "Connection stats reset.\n")
zk.delete(root, recursive=True)
check("recursive delete", zk.exists(root) is None)
zk.stop()
print("failures: %d" % failures)
sys.exit(1 if failures else 0)
