"""Roads fetched live: a recorded answer of the Overpass service goes through OSMnx itself."""

import json
import socket
from pathlib import Path

import numpy as np
import osmnx
import pytest
import requests
import shapely
from pyproj import Transformer

from geo.errors import TravelError
from geo.road_minutes import minutes_between
from geo.roads import Roads, live_roads
from tests.test_roads import at

# A square of streets of one kilometre a side, and what hangs on it.
SPOTS = {1: (0, 0), 2: (1000, 0), 3: (1000, 1000), 4: (0, 1000), 5: (500, 0), 6: (-500, 0),
         7: (1000, 1500), 8: (1500, 1000), 9: (0, 1500), 10: (0, 1250)}  # fmt: skip
WAYS = [
    ([1, 5, 2], {"highway": "residential", "maxspeed": "20 mph"}),
    ([2, 3], {"highway": "tertiary", "oneway": "yes"}),
    ([4, 3], {"highway": "tertiary", "oneway": "-1"}),
    ([4, 1], {"highway": "unclassified"}),
    ([1, 6], {"highway": "primary", "toll": "yes"}),
    ([3, 7], {"route": "ferry"}),
    ([3, 8], {"highway": "residential", "access": "private", "foot": "yes"}),
    ([4, 10, 9], {"highway": "residential"}),
]
BARRED = {10: {"barrier": "bollard"}}
STATUS = "Connected as: 1\nCurrent time: 2026-10-01T08:00:00Z\nAnnounced endpoint: none\n" \
    "Rate limit: 2\n2 slots available now.\n"  # fmt: skip
AREA = shapely.box(*at(0, 0), *at(1000, 1000))


def answer(query: str) -> dict[str, object]:
    """Return what the service says to a query, in its own form."""
    turn = Transformer.from_crs("EPSG:27700", "EPSG:4326", always_xy=True)
    ferry = "ferry" in query
    ways = [(k, w) for k, w in enumerate(WAYS, start=100) if ("route" in w[1]) == ferry]
    used = sorted({node for _, (nodes, _) in ways for node in nodes})
    elements: list[dict[str, object]] = []
    for node in used:
        lon, lat = turn.transform(*at(*SPOTS[node]))
        tags = {"tags": BARRED[node]} if node in BARRED else {}
        elements.append({"type": "node", "id": node, "lat": lat, "lon": lon, **tags})
    elements += [{"type": "way", "id": k, "nodes": n, "tags": t} for k, (n, t) in ways]
    return {"version": 0.6, "generator": "Overpass API 0.7.62", "elements": elements}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the service at the very door of the network; return the queries it was sent."""
    queries: list[str] = []

    def request(self: object, method: str, url: str, **options: dict) -> requests.Response:
        made = requests.Response()
        made.status_code, made.url = 200, url
        if url.endswith("/status"):
            made._content = STATUS.encode()
        else:
            queries.append(options["data"]["data"])
            made._content = json.dumps(answer(queries[-1])).encode()
        return made

    monkeypatch.setattr(requests.Session, "request", request)
    monkeypatch.setattr(socket, "gethostbyname", lambda host: "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
    return queries


def fetched(**options: object) -> Roads:
    return live_roads(AREA, buffer_metres=800.0, **options)  # type: ignore[arg-type]


def test_an_answer_goes_through_osmnx(service: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = dict(vars(osmnx.settings))
    roads = fetched(cache=tmp_path / "kept")
    # The square, and the dead end up to its bollard; no toll road, no ferry, nothing private.
    assert roads.metres.sum() == pytest.approx(4_000 + 250, rel=0.002)
    assert "1 ferries, 1 toll roads, 1 closed to the public" in roads.notes[0]
    assert roads.osm
    limits = {round(kmh) for kmh in roads.signed_kmh[~np.isnan(roads.signed_kmh)]}
    assert limits == {32}
    # One-way all round the north-east: the short way out is no way back.
    there, back = (
        minutes_between([at(*a)], [at(*b)], roads).iloc[0, 0]
        for a, b in (((1000, 200), (1000, 800)), ((1000, 800), (1000, 200)))
    )
    assert back > 3 * there
    assert vars(osmnx.settings) == before
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    asked = len(service)
    assert fetched(cache=tmp_path / "kept").digest == roads.digest
    assert len(service) == asked


def test_ferries_tolls_and_walkers(service: list[str]) -> None:
    wide = fetched(ferries=True, tolls=True)
    assert wide.metres.sum() == pytest.approx(4_000 + 250 + 500 + 500, rel=0.002)
    walk = fetched(mode="walk")
    # Walkers pay no toll, pass the bollard and may use the private road; none of it is one-way.
    assert walk.metres.sum() == pytest.approx(4_000 + 500 + 500 + 500, rel=0.002)
    assert walk.backward.all()
    assert walk.forward.all()
    assert "footway" in service[-2]


def test_a_service_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def request(*args: object, **options: object) -> None:
        raise requests.ConnectionError("no way out")

    monkeypatch.setattr(requests.Session, "request", request)
    monkeypatch.setattr(socket, "gethostbyname", lambda host: "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(TravelError, match=r"could not be fetched.*saved file"):
        fetched()
