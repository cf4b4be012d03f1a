"""nginx as it comes with the system, for comparison."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from tests.bench.processes import cpu_s
from tests.bench.server import START_TIMEOUT_S, BenchError

_CONFIG = """
daemon off;
user root;
worker_processes {workers};
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    sendfile on;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


class Nginx(Struct, frozen=True):
    """One that accepts connections."""

    address: tuple[str, int]
    pid: int

    def cpu_s(self) -> float:
        """Of the master and its workers."""
        return cpu_s(self.pid)


def is_installed() -> bool:
    return _program() is not None


def version() -> str:
    """As it says itself, "nginx/1.22.1"."""
    said = subprocess.run([str(_program()), "-v"], capture_output=True, text=True, check=False).stderr
    return said.rpartition(" ")[2].strip()


@contextmanager
def running_nginx(root: Path, workers: int) -> Iterator[Nginx]:
    """Serves a folder with sendfile and otherwise nginx's defaults."""
    with TemporaryDirectory(prefix="mystic-bench-nginx-") as name:
        address = ("127.0.0.1", _free_port())
        config = Path(name) / "nginx.conf"
        config.write_text(_CONFIG.format(workers=workers, folder=name, port=address[1], root=root))
        process = subprocess.Popen([str(_program()), "-p", name, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            _wait_until_ready(process, address)
            yield Nginx(address, process.pid)
        finally:
            process.terminate()
            process.wait()


def _program() -> str | None:
    return shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], address: tuple[str, int]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(address, timeout=1.0).close()
            return
        except OSError:
            time.sleep(0.02)
    raise BenchError("nginx did not start")
