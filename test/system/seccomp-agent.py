# Answers calls of SCMP_ACT_NOTIFY, for tests: seccomp-agent.py SOCKET. Prints a line of JSON for every connection (the state, and
# how many descriptors came), and lets mkdir(2) fail with ENOMEDIUM; other calls go on.
import errno, fcntl, json, os, socket, struct, sys, threading

RECV, SEND = 0xC0502100, 0xC0182101
CONTINUE = 1
MKDIR = {83, 258, 34, 39}

def answer(listener):
    while True:
        buffer = bytearray(80)
        try:
            fcntl.ioctl(listener, RECV, buffer)
            ident, _, _, number = struct.unpack_from('QIIi', buffer)
            reply = (0, -errno.ENOMEDIUM, 0) if number in MKDIR else (0, 0, CONTINUE)
            fcntl.ioctl(listener, SEND, bytearray(struct.pack('QqiI', ident, *reply)))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR): continue  # the process that asked has gone
            return

server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print('ready', flush=True)
while True:
    connection, _ = server.accept()
    data, fds, _, _ = socket.recv_fds(connection, 65536, 4)
    if data == b'': continue
    more = connection.recv(1)
    print(json.dumps({'state': json.loads(data), 'fds': len(fds), 'closed': more == b''}), flush=True)
    for fd in fds: threading.Thread(target=answer, args=(fd,), daemon=True).start()
