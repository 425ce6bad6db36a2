"""Places to share through, each spoken to in its real protocol on loopback: a folder, S3, SSH, WebDAV.

S3 is moto's server, WebDAV wsgidav's; SSH is OpenSSH's sshd where it is installed, else asyncssh's server.
"""

import asyncio
import getpass
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import fsspec

KINDS = ("folder", "s3", "ssh", "webdav")


@dataclass
class Remote:
    """An address for `dvc remote add`, and for `dvc remote modify` what everybody may read and what nobody may."""

    url: str
    files: Any  # what lies there, past the protocol under test
    root: str
    settings: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def holds(self, folder: str) -> list[str]:
        """The paths of the files under a folder of the remote."""
        self.files.invalidate_cache()
        return sorted(self.files.find(f"{self.root}/{folder}"))


@contextmanager
def serve(kind: str, folder: Path) -> Iterator[Remote]:
    """A remote of that kind, which keeps its files in an empty folder."""
    with {"folder": _folder, "s3": _s3, "ssh": _ssh, "webdav": _webdav}[kind](folder) as remote:
        yield remote


def _disk() -> Any:
    return fsspec.filesystem("file")


@contextmanager
def _folder(folder: Path) -> Iterator[Remote]:
    yield Remote(str(folder / "team"), _disk(), str(folder / "team"))


@contextmanager
def _s3(folder: Path) -> Iterator[Remote]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    key = {"access_key_id": "ann", "secret_access_key": "a secret"}
    endpoint = f"http://{host}:{port}"
    options = {"key": key["access_key_id"], "secret": key["secret_access_key"], "endpoint_url": endpoint}
    files = fsspec.filesystem("s3", **options, skip_instance_cache=True)
    try:
        urlopen(f"{endpoint}/moto-api/reset", data=b"")  # what a server before it held, moto keeps for the process
        files.mkdir("team")
        yield Remote("s3://team/funreason", files, "team/funreason", {"endpointurl": endpoint}, key)
    finally:
        server.stop()


@contextmanager
def _webdav(folder: Path) -> Iterator[Remote]:
    from cheroot.wsgi import Server
    from wsgidav.wsgidav_app import WsgiDAVApp

    (folder / "team").mkdir()
    users = {"ann": {"password": "a secret"}}
    app = WsgiDAVApp({
        "provider_mapping": {"/": str(folder)},
        "simple_dc": {"user_mapping": {"*": users}},
        "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
        "logging": {"enable": False},
        "verbose": 0,
    })  # fmt: skip
    server = Server(("127.0.0.1", 0), app)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        url = f"webdav://127.0.0.1:{server.bind_addr[1]}/team"
        yield Remote(url, _disk(), str(folder / "team"), {"user": "ann"}, {"password": "a secret"})
    finally:
        server.stop()


@contextmanager
def _ssh(folder: Path) -> Iterator[Remote]:
    import asyncssh

    for name in ("host", "ann"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        key.write_public_key(folder / f"{name}.pub")
        (folder / name).chmod(0o600)
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin")
    with _sshd(sshd, folder) if sshd else _asyncssh(folder) as port:
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{folder}/team"
        yield Remote(url, _disk(), str(folder / "team"), {}, {"keyfile": str(folder / "ann")})


@contextmanager
def _sshd(program: str, folder: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd asks for it where it runs as root
    settings = {
        "HostKey": folder / "host", "AuthorizedKeysFile": folder / "ann.pub", "PidFile": "none", "UsePAM": "no",
        "ListenAddress": f"127.0.0.1:{port}", "PasswordAuthentication": "no", "PermitRootLogin": "yes",
        "StrictModes": "no", "Subsystem": "sftp internal-sftp", "MaxStartups": 100, "MaxSessions": 100,
    }  # fmt: skip
    (folder / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    with (folder / "sshd.log").open("w") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"no server on port {port}")


@contextmanager
def _asyncssh(folder: Path) -> Iterator[int]:
    import asyncssh

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen():
        keys = {"server_host_keys": [folder / "host"], "authorized_client_keys": str(folder / "ann.pub")}
        return await asyncssh.listen("127.0.0.1", 0, **keys, sftp_factory=True)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield server.get_port()
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
