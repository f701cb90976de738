"""Mail servers for tests: a real Exim, certificates for it, and a server that does what a script says
at each command. All on loopback, in folders of their own, ended by whoever started them."""
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

EXIM = shutil.which("exim4", path="/usr/sbin:/usr/bin")
PATIENCE_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
CERTIFICATES = {
    # name: (whom it is for, days it holds)
    "good": ("DNS:localhost,IP:127.0.0.1", 2),
    "wrong_host": ("DNS:mail.elsewhere.example", 2),
    "expired": ("DNS:localhost,IP:127.0.0.1", -1),
}


def make_certificates(folder):
    """`ca.pem`, and for each name of CERTIFICATES and `self_signed` a .pem and a .key."""
    folder.mkdir()
    openssl(folder, "req", "-x509", *NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-subj", "/CN=An authority for tests")
    openssl(folder, "req", "-x509", *NEW_KEY, "-keyout", "self_signed.key", "-out",
            "self_signed.pem", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name, (hosts, days) in CERTIFICATES.items():
        (folder / f"{name}.ext").write_text(f"subjectAltName={hosts}\n")
        openssl(folder, "req", "-new", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", "/CN=localhost")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext",
                "-out", f"{name}.pem")
    return folder


EXIM_CONFIG = """
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
primary_hostname = localhost
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
never_users =
smtp_accept_max = 100
{options}
begin acl
mail:
  deny  message = 5.7.1 not from you
        senders = ^banni@
  accept
rcpt:
  deny  message = 5.1.1 no such user
        local_parts = ^refus
  defer message = 4.7.1 greylisted
        local_parts = ^plustard
  defer message = 4.7.1 greylisted, come again
        local_parts = ^gris
        !condition = ${{if exists{{{folder}/seen-$local_part}}}}
        condition = ${{run{{/usr/bin/touch {folder}/seen-$local_part}}{{yes}}{{yes}}}}
  {login}
  accept
data:
  deny  message = 5.7.1 not with these words
        condition = ${{if match{{$recipients}}{{contenu}}}}
  accept
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {folder}/delivered
  create_directory
  user = Debian-exim
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{vigie}}}}{{eq{{$auth3}}{{s3cret é}}}}}}}}
"""


class Exim:
    """An Exim of its own. `certificate`: name of one of `certificates`; `security` as in vigie.conf;
    `login`: nobody else may send; `delivers`: or only queues."""

    def __init__(self, certificates=None, certificate=None, security="none", login=False,
                 options="", delivers=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="exim", dir="/tmp"))
        self.port = free_port()
        self.write_config(certificates, certificate, security, login, options)
        self.process = subprocess.Popen([EXIM, "-C", self.folder / "exim.conf", "-bdf",
                                         "-odi" if delivers else "-odq"], stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        self.wait_until_up()

    def write_config(self, certificates, certificate, security, login, options):
        options += "\ntls_advertise_hosts = " + ("*" if security == "starttls" else "")
        if security == "tls":
            options += f"\ntls_on_connect_ports = {self.port}"
        if certificate:
            for kind, option in (("pem", "tls_certificate"), ("key", "tls_privatekey")):
                shutil.copy(certificates / f"{certificate}.{kind}", self.folder)
                shutil.chown(self.folder / f"{certificate}.{kind}", "Debian-exim")
                options += f"\n{option} = {self.folder}/{certificate}.{kind}"
        options += "\nauth_advertise_hosts = " + ("*" if login else "")
        config = self.folder / "exim.conf"
        config.write_text(EXIM_CONFIG.format(
            folder=self.folder, port=self.port, options=options,
            login="deny message = 5.7.0 log in first\n        !authenticated = *" if login else ""))
        config.chmod(0o644)
        self.folder.chmod(0o755)
        for name in ("", "spool", "delivered"):
            (self.folder / name).mkdir(exist_ok=True)
            shutil.chown(self.folder / name, "Debian-exim")

    def wait_until_up(self):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("Exim does not answer")

    def mails(self, count=0):
        """What was delivered; waits for `count` of them, for Exim says 250 before it delivers."""
        folder = self.folder / "delivered/new"
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = sorted(folder.iterdir()) if folder.exists() else []
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def all_mails(self):
        """All that was delivered, once what was taken is: also what a lost client left behind."""
        deadline = time.monotonic() + PATIENCE_S
        subprocess.run([EXIM, "-C", self.folder / "exim.conf", "-qf"], check=True,
                       stderr=subprocess.DEVNULL)
        while self.log().count(" <= ") > self.log().count(" Completed"):
            assert time.monotonic() < deadline, "Exim does not deliver"
            time.sleep(0.02)
        return self.mails()

    def log(self):
        path = self.folder / "mainlog"
        return path.read_text() if path.exists() else ""

    def close(self):
        """Ends the daemon and what it has started, which would write on into the folder."""
        deadline = time.monotonic() + PATIENCE_S
        while kill_group(self.process.pid):
            self.process.poll()
            assert time.monotonic() < deadline, "Exim does not end"
            time.sleep(0.01)
        shutil.rmtree(self.folder)


class Hold:
    """An answer that waits: `reached` when the server has got so far, goes on when `let_go`."""

    def __init__(self, answer=b"250 fine"):
        self.answer = answer
        self.reached, self.let_go = threading.Event(), threading.Event()

    def wait(self):
        assert self.reached.wait(PATIENCE_S), "the server never got so far"


def kill_group(leader):
    """False when nobody is left of it."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


HANG, DROP = "hang", "drop"
ANSWERS = dict(CONNECT=b"220 here", EHLO=b"250 localhost", HELO=b"250 localhost",
               STARTTLS=b"220 go ahead", AUTH=b"235 welcome", MAIL=b"250 fine", RCPT=b"250 fine",
               DATA=b"354 go on", CONTENT=None, END=b"250 taken", QUIT=b"221 bye")


class Script:
    """A mail server that answers each command as the test says: bytes without their last line end,
    HANG, DROP, a Hold, or a list of those, one for each time. CONTENT is what it does after the first
    line of a mail, END at its final dot. `mails` are those it got whole, `heard` all its lines."""

    def __init__(self, certificate=None, **answers):
        self.answers = {**ANSWERS, **answers}
        self.certificate = certificate
        self.mails, self.heard, self.connections = [], [], 0
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def commands(self):
        return [line.split()[0].decode() for line in self.heard]

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def serve(self, connection):
        try:
            self.talk(connection)
        except (OSError, EOFError):
            pass
        connection.close()

    def talk(self, connection):
        stream = connection.makefile("rwb", buffering=0)
        self.say(stream, "CONNECT")
        while True:
            word = self.read_line(stream).split()[0].decode().upper()
            if word == "AUTH":
                stream.write(b"334 \r\n")
                self.read_line(stream)
            said = self.say(stream, word)
            if word == "STARTTLS":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(f"{self.certificate}.pem", f"{self.certificate}.key")
                connection = context.wrap_socket(connection, server_side=True)
                self.open.append(connection)
                stream = connection.makefile("rwb", buffering=0)
            if word == "DATA" and said.startswith(b"354"):
                self.read_mail(stream)
            if word == "QUIT":
                return

    def read_line(self, stream):
        line = stream.readline()
        if not line:
            raise EOFError
        self.heard.append(line)
        return line

    def read_mail(self, stream):
        lines = []
        for line in iter(stream.readline, b""):
            if line == b".\r\n":
                self.mails.append(b"".join(lines))
                self.say(stream, "END")
                return
            lines.append(line)
            if len(lines) == 1:
                self.say(stream, "CONTENT")
        raise EOFError

    def say(self, stream, command):
        answer = self.answers.get(command, b"502 what?")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Hold):
            answer.reached.set()
            answer.let_go.wait()
            answer = answer.answer
        if answer == HANG:
            stream.read() # until the client has had enough
            raise EOFError
        if answer == DROP:
            raise EOFError
        if callable(answer):
            answer(stream)
        elif answer is not None:
            stream.write(answer + b"\r\n")
        return answer

    def close(self):
        self.listener.close()
        for connection in self.open:
            connection.close()
