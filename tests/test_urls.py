from __future__ import annotations

import gc
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subvino.errors import MissingExtraError, UrlError
from subvino.media import read_audio
from subvino.urls import (
    DownloadOptions,
    DownloadProgress,
    UrlEntry,
    download,
    find_entries,
    is_url,
    safe_stem,
)
from tests.sounds import Track, beep_times, beeps, write_media

pytest.importorskip("yt_dlp", reason="the extra url is not installed")

# yt-dlp leaves answers it doesn't want to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass
class Site:
    """A local server; `pages`: path → (type, body); `asked`: (path, Range) of every request."""

    address: str = ""
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)


def handler_of(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, with_body: bool) -> None:
            wanted = self.headers.get("Range")
            site.asked.append((self.path, wanted))
            if self.path not in site.pages:
                self.send_error(404)
                return
            kind, body = site.pages[self.path]
            span = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted or "")
            first = int(span[1]) if span else 0
            self.send_response(206 if span else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) - first))
            if span:
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            if with_body:
                self.wfile.write(body[first:])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of(site)) as server:
        site.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield site
        gc.collect()  # while the mark above holds
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    return write_media(path, Track(beeps([1.0], 3.0, 48_000), "aac"), video=3.0).read_bytes()


def test_a_media_url_is_fetched_and_reads_like_the_file(
    site: Site, talk: bytes, tmp_path: Path
) -> None:
    site.pages["/films/talk.mp4"] = ("video/mp4", talk)
    (entry,) = find_entries(f"{site.address}/films/talk.mp4")
    assert (entry.title, entry.stem) == ("talk", "talk")
    seen: list[DownloadProgress] = []
    path = download(entry, tmp_path, on_progress=seen.append)
    assert path.parent == tmp_path
    assert path.read_bytes() == talk
    assert seen[-1].n_bytes == seen[-1].n_bytes_total == len(talk)
    with read_audio(path) as stream:
        assert beep_times(next(iter(stream)).samples) == pytest.approx([1.0], abs=0.002)


def test_a_download_that_broke_off_goes_on(site: Site, talk: bytes, tmp_path: Path) -> None:
    site.pages["/talk.mp4"] = ("video/mp4", talk)
    entry = UrlEntry(f"{site.address}/talk.mp4", "talk", "talk")

    def stop(progress: DownloadProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(entry, tmp_path, on_progress=stop)
    (part,) = tmp_path.glob("*.part")
    part.write_bytes(talk[:1000])
    site.asked.clear()
    assert download(entry, tmp_path).read_bytes() == talk
    assert any(span and span.startswith("bytes=1000-") for _, span in site.asked)
    site.asked.clear()
    assert download(entry, tmp_path).read_bytes() == talk  # it is there already


def test_every_film_of_a_page_is_an_entry(site: Site, talk: bytes, tmp_path: Path) -> None:
    films = {f"/{name}.mp4": talk + name.encode() * 8 for name in ("a", "b", "c")}
    site.pages |= {path: ("video/mp4", data) for path, data in films.items()}
    videos = "".join(f'<video src="{path}"></video>' for path in films)
    page = f"<html><head><title>Three</title></head><body>{videos}</body></html>"
    site.pages["/page"] = ("text/html", page.encode())
    entries = find_entries(f"{site.address}/page")
    assert len({entry.stem for entry in entries}) == 3
    paths = [download(entry, tmp_path) for entry in entries]
    assert [path.read_bytes() for path in paths] == list(films.values())


def test_every_item_of_a_feed_is_an_entry(site: Site, talk: bytes, tmp_path: Path) -> None:
    site.pages["/1.mp4"] = site.pages["/2.mp4"] = ("video/mp4", talk)
    items = "".join(
        f"<item><title>Part</title><link>{site.address}/{n}.mp4</link></item>" for n in (1, 2)
    )
    channel = f"<channel><title>Feed</title>{items}</channel>"
    feed = f'<?xml version="1.0"?><rss version="2.0">{channel}</rss>'
    site.pages["/feed"] = ("application/rss+xml", feed.encode())
    entries = find_entries(f"{site.address}/feed")
    assert [entry.title for entry in entries] == ["Part", "Part"]
    assert [entry.stem for entry in entries] == ["Part", "Part (2)"]
    assert [entry.url for entry in entries] == [f"{site.address}/{n}.mp4" for n in (1, 2)]
    assert download(entries[1], tmp_path).read_bytes() == talk


def test_an_entry_that_is_a_list_itself_is_refused(site: Site, talk: bytes, tmp_path: Path) -> None:
    site.pages["/page"] = ("text/html", b"<video src=/a.mp4></video><video src=/b.mp4></video>")
    with pytest.raises(UrlError, match="no single media file"):
        download(UrlEntry(f"{site.address}/page", "list", "list"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "title", ["../../escape", "/etc/passwd", "a\\..\\b", "%(id)s%s", "\x1b[2Jhi", "CON", "x" * 999]
)
def test_a_hostile_title_stays_in_the_folder_and_off_the_terminal(
    site: Site, talk: bytes, tmp_path: Path, title: str
) -> None:
    site.pages["/a.mp4"] = ("video/mp4", talk)
    page = f"<html><head><title>{title}</title></head><video src='/a.mp4'></video></html>"
    site.pages["/page"] = ("text/html", page.encode())
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    (entry,) = find_entries(f"{site.address}/page")
    assert entry.title.isprintable()
    path = download(entry, folder)
    assert path.parent == folder
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == [path]


@pytest.mark.parametrize(
    "name", ["..%2f..%2fx.mp4", "%2e%2e%2fx.mp4", "x.mp4%00.sh", "x.mp4%5c..%5cy.sh"]
)
def test_a_hostile_file_name_stays_in_the_folder(
    site: Site, talk: bytes, tmp_path: Path, name: str
) -> None:
    # yt-dlp asks by way of requests where that is installed, which writes the dots as they are.
    for path in (name, name.replace("%2e", ".")):
        site.pages[f"/{path}"] = ("video/mp4", talk)
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    (entry,) = find_entries(f"{site.address}/{name}")
    try:
        paths = [download(entry, folder)]
    except UrlError:  # yt-dlp refuses a suffix such as .sh
        paths = []
    assert [found for found in tmp_path.rglob("*") if found.is_file()] == paths
    assert all(path.parent == folder for path in paths)


def test_what_is_too_large_is_refused(site: Site, talk: bytes, tmp_path: Path) -> None:
    site.pages["/talk.mp4"] = ("video/mp4", talk)
    (entry,) = find_entries(f"{site.address}/talk.mp4")
    with pytest.raises(UrlError, match="larger than"):
        download(entry, tmp_path, DownloadOptions(max_bytes=len(talk) - 1))
    assert download(entry, tmp_path, DownloadOptions(max_bytes=len(talk))).exists()


def test_a_page_that_is_not_there_says_so_in_one_line(site: Site) -> None:
    url = f"{site.address}/none.mp4"
    with pytest.raises(UrlError) as caught:
        find_entries(url)
    assert str(caught.value) == f"{url}: Unable to download webpage: HTTP Error 404: Not Found"
    assert caught.value.path == url


def test_a_page_without_media_says_so_in_one_line(site: Site) -> None:
    site.pages["/page"] = ("text/html", b"<html><body>Nothing here</body></html>")
    with pytest.raises(UrlError, match=r"/page: Unsupported URL") as caught:
        find_entries(f"{site.address}/page")
    assert "\n" not in str(caught.value)


def test_a_refused_connection_says_so_in_one_line() -> None:
    with pytest.raises(UrlError, match="onnection refused") as caught:
        find_entries("http://127.0.0.1:9/a.mp4")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/a.mp4", "file:///etc/passwd", "concat://a", "http://", "http://[::1"]
)
def test_other_schemes_and_what_is_no_url_are_refused(url: str) -> None:
    with pytest.raises(UrlError, match=r"only http and https|not a URL"):
        find_entries(url)


def test_a_page_cannot_point_into_the_file_system(site: Site, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    site.pages["/page"] = ("text/html", f"<video src='{secret.as_uri()}'></video>".encode())
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(UrlError):
        download(find_entries(f"{site.address}/page")[0], folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("http://a/b", True),
        ("HTTPS://a/b", True),
        ("ftp://a/b", True),
        ("C:/a.mp4", False),
        ("C:\\a.mp4", False),
        ("a.mp4", False),
        ("/a:/b.mp4", False),
        ("", False),
    ],
)
def test_urls_are_told_from_paths(text: str, wanted: bool) -> None:
    assert is_url(text) is wanted


@given(st.text(max_size=400))
def test_a_stem_is_a_plain_file_name_on_any_system(title: str) -> None:
    stem = safe_stem(title)
    assert 0 < len(stem.encode()) <= 121
    assert not set(stem) & set('/\\:*?"<>|%\0\n\x1b')
    assert stem == stem.strip(" .")
    assert safe_stem(stem) in (stem, stem.strip("_"))


def test_a_stem_keeps_letters_of_every_script() -> None:
    assert safe_stem("Où est-ce? 日本語 – हिन्दी (1)") == "Où est-ce 日本語 हिन्दी (1)"
    assert safe_stem("con.mp4") == "_con.mp4"
    assert safe_stem("???") == "media"


def test_without_yt_dlp_the_error_is_the_command_that_brings_it() -> None:
    code = (
        "import sys; sys.modules['yt_dlp'] = None\n"
        "from subvino.errors import MissingExtraError\n"
        "from subvino.urls import find_entries\n"
        "try: find_entries('http://127.0.0.1/a')\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'reading URLs needs an extra: pip install "subvino[url]"'
    assert issubclass(MissingExtraError, ImportError)


def test_plugins_and_configuration_of_the_user_are_not_loaded(site: Site, tmp_path: Path) -> None:
    """In a home where both lie ready; with yt-dlp's own command the plugin would be loaded."""
    plugin = tmp_path / ".config/yt-dlp/plugins/evil/yt_dlp_plugins/extractor/evil.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("import sys; sys.modules['evil_was_here'] = sys\n")
    (tmp_path / ".config/yt-dlp/config").write_text("--no-such-option\n")
    code = (
        "import sys\n"
        "from subvino.urls import find_entries\n"
        "try: find_entries(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print('evil_was_here' in sys.modules)\n"
        "from yt_dlp import globals, plugins\n"
        "globals.plugin_dirs.value = ['default']; plugins.load_all_plugins()\n"
        "print('evil_was_here' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"{site.address}/none"],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path), "PATH": ""},
    )
    assert done.stdout.split() == ["UrlError", "False", "True"]
