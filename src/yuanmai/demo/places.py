"""Made-up parks, zones, grid cells, parcels and buildings of the five places; standard factories add up as published."""

from decimal import Decimal
from typing import Any

from yuanmai.common.geometry import geodesic_area, projected_area
from yuanmai.demo.expand import split, weights
from yuanmai.demo.geography import Point, blocks, bounds, move, outline, rectangle
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.common import named
from yuanmai.people.models import Organisation
from yuanmai.places.models import Building, GridCell, Parcel, Park, Unit, Zone


def load(orgs: dict[str, Organisation]) -> None:
    """Create all places."""
    for name in ("tanzhou", "heshan", "zhaoqing", "licheng"):
        data = preset(name)
        org = orgs.get(f"{name}-park") or orgs.get(f"{name}-cluster") or orgs[name]
        area = data.get("standard_space_m2")
        _park(org, data["map"], Decimal(area) if area else None)
    data = preset("longyan")
    codes, centre = data["parks"], tuple(data["map"]["centre"])
    areas = split(Decimal(data["standard_factory_m2"]), weights(len(codes), 17), Decimal(100))
    for index, (code, area) in enumerate(zip(codes, areas, strict=True)):
        east, north = (index % 4 - 1.5) * 5200, (index // 4 - 1) * 4600
        place = {
            "centre": move(centre, east, north),
            "park": orgs[code].name,
            "buildings": data["map"]["buildings"] // 10,
        }
        _park(orgs[code], place, Decimal(area))


def _placed(geometry: dict[str, Any]) -> dict[str, Any]:
    west, south, east, north = bounds(geometry)
    return {
        "geometry": geometry,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "area_projected": projected_area(geometry),
        "area_geodesic": geodesic_area(geometry),
        "synthetic": True,
    }


def _park(org: Organisation, data: dict[str, Any], standard_area: Decimal | None) -> None:
    """Create one park with its zones, cells, parcels and buildings; standard factories share `standard_area` m²."""
    longitude, latitude = data["centre"]
    centre: Point = (longitude, latitude)
    park = Park.objects.create(
        org=org, code=f"{org.code}-p", name=data["park"], name_en=org.name_en if data["park"] == org.name else "",
        level=org.level, **_placed(outline(centre, 1900)),
    )  # fmt: skip
    zones = data.get("zones", [])
    for index, name in enumerate(zones):
        east, north = (index % 2) * 1300 - 1250, (index // 2) * 1150 - 1100
        geometry = rectangle(centre, east, north, 1200, 1050)
        Zone.objects.create(org=org, code=f"z{index + 1}", name=name, park=park, **_placed(geometry))
    GridCell.objects.bulk_create(
        [
            GridCell(
                org=org,
                code=f"g{i + 1:02d}",
                name=named(f"第{i + 1}网格"),
                park=park,
                **_placed(rectangle(centre, (i % 4) * 600 - 1200, (i // 4) * 600 - 900, 590, 590)),
            )
            for i in range(data.get("grid_cells", 0))
        ]
    )
    _buildings(org, park, centre, data["buildings"], standard_area)


def _buildings(
    org: Organisation, park: Park, centre: Point, count: int, standard_area: Decimal | None
) -> None:
    corners = list(blocks(centre, count))
    parcels = Parcel.objects.bulk_create(
        [
            Parcel(
                org=org,
                code=f"d{i + 1:03d}",
                name=named(f"宗地{i + 1:03d}"),
                park=park,
                use="工业用地",
                area_certificate=Decimal(230 * 220),
                **_placed(rectangle(centre, x + 10, y + 15, 230, 220)),
            )
            for i, (x, y) in enumerate(corners)
        ]
    )
    shares = split(standard_area, weights(count, 7), Decimal(10)) if standard_area else [None] * count
    rows = []
    for i, ((x, y), parcel, area) in enumerate(zip(corners, parcels, shares, strict=True)):
        kind = "standard_factory" if standard_area or i % 3 == 0 else ("factory", "office")[i % 2]
        floors = 3 + (i * 5) % 9
        rows.append(
            Building(
                org=org,
                code=f"b{i + 1:03d}",
                name=named(f"{i + 1}号楼"),
                park=park,
                parcel=parcel,
                kind=kind,
                floors=floors,
                floor_area=area
                if area is not None
                else (None if kind == "standard_factory" else Decimal(90 * 60 * floors)),
                **_placed(
                    rectangle(centre, x + 55, y + 55, 95 + 12 * (i % 4), 62 + 9 * (i % 3), 0.06 * (i % 3))
                ),
            )
        )
    buildings = Building.objects.bulk_create(rows)
    Unit.objects.bulk_create(
        [
            Unit(
                org=org,
                building=building,
                code=f"{floor}01",
                floor=floor,
                area=Decimal(1200),
                state=("let", "let", "vacant", "let", "reserved")[(floor + building.pk) % 5],
                synthetic=True,
            )
            for building in buildings[:8]
            for floor in range(1, building.floors + 1)
        ]
    )
