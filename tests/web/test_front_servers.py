"""The settings for nginx and Caddy in docs/serving.md: accepted, and as good as our server."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import brotli
import pytest

from postroom.files.compressed import MIN_BYTES, compress, is_compressible
from postroom.web.kinds import content_type
from tests.stage import free_port
from tests.web.served import FILES, make_public, put, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs/serving.md"
NGINX = "/usr/sbin/nginx"
CADDY = "/usr/bin/caddy"
BROTLI_STATIC = Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")
has_nginx = pytest.mark.skipif(not shutil.which(NGINX), reason="nginx is not installed")
has_caddy = pytest.mark.skipif(not shutil.which(CADDY), reason="Caddy is not installed")
COMPARED = (
    "content-type",
    "access-control-allow-origin",
    "x-content-type-options",
    "referrer-policy",
    "content-security-policy",
    "link",
)
CACHED = ("/", "/atom.xml", "/archive/2026-01.json", "/assets/style-73725b4827.css")
NGINX_MAIN = """
{user}
{module}
daemon off;
worker_processes 1;
pid {home}/pid;
error_log {home}/errors;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
{settings}
}}
"""


def snippets(language: str) -> list[str]:
    """The blocks of the page in that language: behind a server, then files only."""
    found = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len(found) == 2
    return found


def nginx_file(home: Path, settings: str, port: int, public: Path) -> Path:
    """Write a whole configuration around a snippet."""
    settings = settings.replace("listen 80;", f"listen 127.0.0.1:{port};")
    settings = settings.replace("/srv/blog/public", str(public))
    module = f"load_module {BROTLI_STATIC};" if BROTLI_STATIC.exists() else ""
    if not module:
        settings = settings.replace("brotli_static on;", "")
    path = home / "nginx.conf"
    user = "" if os.getuid() else "user root;"  # else workers may not look into `home`
    main = NGINX_MAIN.format(home=home, settings=settings, module=module, user=user)
    path.write_text(main, encoding="utf-8")
    return path


def caddy_file(home: Path, settings: str, port: int, public: Path) -> Path:
    """Write a whole configuration around a snippet: no certificate, no admin port."""
    settings = settings.replace("blog.example {", f"http://127.0.0.1:{port} {{", 1)
    settings = settings.replace("/srv/blog/public", str(public))
    path = home / "Caddyfile"
    options = "{\n\tadmin off\n\tauto_https off\n}\n"
    path.write_text(options + settings, encoding="utf-8")
    return path


def caddy_env(home: Path) -> dict[str, str]:
    """Where Caddy may write."""
    return {"HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CONFIG_HOME": str(home)}


def ask(
    port: int, path: str, fields: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, fields with lower-case names, body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", quote(path, safe="/%?=&"), headers=fields or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {n.lower(): v for n, v in answer.getheaders()}, body


@contextmanager
def running(
    words: list[str], port: int, env: dict[str, str] | None = None
) -> Iterator[None]:
    """Run a server until the body is done."""
    process = subprocess.Popen(
        words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            assert process.poll() is None
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose texts have compressed files beside them."""
    root = make_public(tmp_path_factory.mktemp("front") / "site")
    for path in FILES:
        file = root / "public" / path
        data = file.read_bytes()
        if is_compressible(path) and len(data) >= MIN_BYTES:
            packed = compress(data)
            put(file.with_name(file.name + ".gz"), packed[0])
            put(file.with_name(file.name + ".br"), packed[1])
    return root


def compare_with_ours(root: Path, port: int, *, codings: tuple[str, ...]) -> None:
    """What a server says about each file is what ours says, and the bodies are equal."""
    with serving(root) as server:
        for path in FILES:
            address = "/" + path.removesuffix("index.html")
            ours = server.ask(address)
            status, fields, body = ask(port, address)
            assert (status, body) == (200, ours.body), address
            for name in COMPARED:
                if name == "content-security-policy" and path.endswith(".svg"):
                    continue  # ours alone locks pictures in
                assert fields.get(name) == ours.fields.get(name), (address, name)
            if address in CACHED:
                assert fields["cache-control"] == ours.fields["cache-control"]
            again = ask(port, address, {"If-None-Match": fields["etag"]})
            assert again[0] == 304
    for coding in codings:
        status, fields, body = ask(port, "/atom.xml", {"Accept-Encoding": coding})
        assert fields["content-encoding"] == coding
        assert fields["content-type"] == "application/atom+xml; charset=utf-8"
        assert fields["vary"] == "Accept-Encoding"
        unpacked = brotli.decompress(body) if coding == "br" else body
        assert coding != "br" or unpacked.decode() == FILES["atom.xml"]
    for old in ("/feed", "/feed/", "/index.xml", "/rss"):
        status, fields, _ = ask(port, old)
        assert (status, fields["location"]) == (301, "/rss.xml")
    for path in ("/nowhere", "/.git/config", "/tags/.x"):
        status, fields, body = ask(port, path)
        assert (status, body.decode()) == (404, FILES["404.html"])
    status, fields, _ = ask(port, "/tags/편지")
    assert status in {301, 308}
    assert fields["location"].lower() == "/tags/%ed%8e%b8%ec%a7%80/"
    status, _, body = ask(port, "/media/episode.mp3", {"Range": "bytes=5-9"})
    assert (status, body) == (206, bytes(range(5, 10)))


def test_the_table_of_types_for_nginx_is_ours() -> None:
    """Each ending in it has the type that our server gives it."""
    block = snippets("nginx")[1].partition("types {\n")[2].partition("}")[0]
    rows = re.findall(r'^\s+"?([^"\n]+?)"?\s+(\w[\w ]*);$', block, re.MULTILINE)
    assert len(rows) > 20
    for kind, endings in rows:
        for ending in endings.split():
            assert content_type(f"media/x.{ending}") == kind


@has_nginx
def test_nginx_serves_the_files_as_we_do(root: Path, tmp_path: Path) -> None:
    """Types, caching, CORS, Link, 304, ranges, compressed files, the missing page."""
    port = free_port()
    file = nginx_file(tmp_path, snippets("nginx")[1], port, root / "public")
    words = [NGINX, "-p", str(tmp_path), "-c", str(file)]
    ran = subprocess.run([*words, "-t"], capture_output=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    assert b"[warn]" not in ran.stderr
    codings = ("br", "gzip") if BROTLI_STATIC.exists() else ("gzip",)
    with running(words, port):
        compare_with_ours(root, port, codings=codings)


@has_caddy
def test_caddy_serves_the_files_as_we_do(root: Path, tmp_path: Path) -> None:
    """The same."""
    port = free_port()
    file = caddy_file(tmp_path, snippets("caddyfile")[1], port, root / "public")
    words = ["--adapter", "caddyfile", "--config", str(file)]
    env = caddy_env(tmp_path)
    ran = subprocess.run(
        [CADDY, "validate", *words],
        env=env,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    with running([CADDY, "run", *words], port, env):
        compare_with_ours(root, port, codings=("br", "gzip"))


@has_nginx
@has_caddy
def test_both_pass_our_answers_on(root: Path, tmp_path: Path) -> None:
    """Status, fields and body are ours, compressed or a part, 304 or 404."""
    nginx_port, caddy_port = free_port(), free_port()
    with serving(root) as server:
        ours = f"127.0.0.1:{server.port}"
        behind_nginx = snippets("nginx")[0].replace("127.0.0.1:8000", ours)
        behind_caddy = snippets("caddyfile")[0].replace("127.0.0.1:8000", ours)
        nginx = nginx_file(tmp_path, behind_nginx, nginx_port, root)
        caddy = caddy_file(tmp_path, behind_caddy, caddy_port, root)
        caddy_words = [CADDY, "run", "--adapter", "caddyfile", "--config", str(caddy)]
        with (
            running([NGINX, "-p", str(tmp_path), "-c", str(nginx)], nginx_port),
            running(caddy_words, caddy_port, caddy_env(tmp_path)),
        ):
            for port in (nginx_port, caddy_port):
                compare_passed_on(server.port, port)


def compare_passed_on(ours: int, front: int) -> None:
    """Ask both for the same things."""
    tag = ask(ours, "/atom.xml", {"Accept-Encoding": "br"})[1]["etag"]
    for path, fields in (
        ("/", {}),
        ("/atom.xml", {"Accept-Encoding": "br"}),
        ("/atom.xml", {"Accept-Encoding": "br", "If-None-Match": tag}),
        ("/media/episode.mp3", {"Range": "bytes=5-90000"}),
        ("/tags/편지", {}),
        ("/nowhere", {"Accept-Encoding": "gzip"}),
    ):
        asked = {"Accept-Encoding": "identity", **fields}
        direct, passed = ask(ours, path, asked), ask(front, path, asked)
        assert passed[0] == direct[0]
        assert passed[2] == direct[2]
        hop = {"date", "server", "connection", "transfer-encoding", "keep-alive"}
        assert {k: v for k, v in passed[1].items() if k not in hop} == {
            k: v for k, v in direct[1].items() if k not in hop
        }
