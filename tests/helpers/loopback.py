"""A real HTTP server on loopback that behaves like Zenodo, or misbehaves as told, one request at a time."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import time
import wave
import zipfile
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import numpy as np


@dataclass(frozen=True)
class Act:
    """How one GET is answered, where not as a good server would."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut_after: int | None = None
    ignore_range: bool = False
    content_length: int | None = None
    pause_s: float = 0.0  # between pieces of 16 KiB
    hold_after: int | None = None  # bytes; what follows is never sent, and the connection stays
    endless: bytes | None = None  # sent again and again, in chunks of no stated number, until the client leaves


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    range: str | None
    if_range: str | None


class Loopback:
    """Serves `files` (path -> content), with `headers`. `acts[path]` are used up one a GET; `always[path]` stays."""

    def __init__(
        self, files: dict[str, bytes] | None = None, *, etags: bool = True, headers: dict[str, str] | None = None
    ) -> None:
        self.files = dict(files or {})
        self.headers = dict(headers or {})
        self.etags = etags
        self.acts: dict[str, deque[Act]] = defaultdict(deque)
        self.always: dict[str, Act] = {}
        self.seen: list[Seen] = []
        self.most_at_once = 0
        self.sent_endlessly = 0
        self._running = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def __enter__(self) -> Loopback:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._answer(self)

            def do_HEAD(self) -> None:
                outer._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """One transfer at work. It is over before its last byte is sent: a client that has all may ask for more."""
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def gets(self, path: str) -> list[Seen]:
        return [s for s in self.seen if s.path == path and s.method == "GET"]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        asked = request.headers.get("Range")
        self.seen.append(Seen(request.command, path, asked, request.headers.get("If-Range")))
        act = Act()
        if request.command == "GET":
            act = self.acts[path].popleft() if self.acts[path] else self.always.get(path, act)
        content = self.files.get(path)
        if act.endless is not None:
            self._send_endless(request, act)
        elif act.status is not None or act.body is not None:
            self._send(request, act.status or 200, act.body or b"", act, dict(act.headers))
        elif content is None:
            self._send(request, 404, b"no such file", act, {})
        else:
            self._send_file(request, content, asked, act)

    def _send_file(self, request: BaseHTTPRequestHandler, content: bytes, asked: str | None, act: Act) -> None:
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        headers = {"Accept-Ranges": "bytes", **({"ETag": etag} if self.etags else {})}
        headers |= self.headers | act.headers
        changed = request.headers.get("If-Range") not in (None, etag)
        if asked and not act.ignore_range and not changed:
            begin = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if begin >= len(content):
                self._send(request, 416, b"", act, {**headers, "Content-Range": f"bytes */{len(content)}"})
                return
            headers = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}", **headers}
            self._send(request, 206, content[begin:], act, headers)
        else:
            self._send(request, 200, content, act, headers)

    def _send_endless(self, request: BaseHTTPRequestHandler, act: Act) -> None:
        request.send_response(200)
        for name, value in {**act.headers, "Transfer-Encoding": "chunked"}.items():
            request.send_header(name, value)
        request.end_headers()
        request.close_connection = True
        chunk = act.endless or b""
        try:
            while not self._closing.is_set():
                request.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.sent_endlessly += len(chunk)
        except OSError:
            pass

    def _send(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, act: Act, headers: dict[str, str]
    ) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body) if act.content_length is None else act.content_length))
        request.end_headers()
        if request.command == "HEAD":
            return
        sent = body[: act.cut_after][: act.hold_after]
        try:
            *pieces, last = [sent[start : start + (1 << 14)] for start in range(0, len(sent), 1 << 14)] or [b""]
            with self._counted() if pieces else nullcontext():  # of a short answer the client has all with its headers
                for piece in pieces:
                    request.wfile.write(piece)
                    time.sleep(act.pause_s)
            request.wfile.write(last)
            if act.hold_after is not None:
                self._closing.wait()
        except (BrokenPipeError, ConnectionResetError):
            pass
        if act.cut_after is not None or act.content_length is not None:
            request.close_connection = True


def wav(seconds: float = 0.05, *, seed: int = 0, channels: int = 1, sample_rate: int = 16000) -> bytes:
    """A WAV file of noise."""
    samples = np.random.default_rng(seed).integers(-9000, 9000, (round(seconds * sample_rate), channels), np.int16)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive of `files`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def machine_zip(
    machine_type: str,
    *,
    seconds: float = 0.05,
    n: int = 3,
    splits: tuple[str, ...] = ("train", "test"),
    channels: int = 1,
) -> bytes:
    """A zip as the organisers make them since 2022: `n` clips a split and condition, and the attribute table."""
    files, rows = {}, ["file_name,d1p,d1v"]
    for split in splits:
        for condition in ("normal", "anomaly") if split == "test" else ("normal",):
            for i in range(n):
                domain = "target" if i == n - 1 else "source"
                name = f"{machine_type}/{split}/section_00_{domain}_{split}_{condition}_{i:04d}_vel_{i}.wav"
                files[name] = wav(seconds, seed=i, channels=channels)
                rows.append(f"{name},vel,{i}")
    files[f"{machine_type}/attributes_00.csv"] = "\n".join(rows).encode()
    return zipped(files)


def held(folder: Path, more: Mapping[str, bytes] | None = None) -> None:
    """A folder for `--from-dir` that holds one zip, the fans' (with `more` files in it), and its sum."""
    folder.mkdir()
    path = folder / "dev_fan.zip"
    path.write_bytes(machine_zip("fan"))
    with zipfile.ZipFile(path, "a") as archive:
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    (folder / "md5sums.txt").write_text(f"{md5(path.read_bytes())}  {path.name}\n")


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def record(files: dict[str, bytes]) -> bytes:
    """The answer of Zenodo's record interface for `files` (name -> content)."""
    listed = [{"key": k, "size": len(v), "checksum": f"md5:{md5(v)}"} for k, v in files.items()]
    return json.dumps({"id": 1, "files": listed}).encode()
