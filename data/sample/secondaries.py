"""The secondaries of Sandmere, listed by hand, and which towns have infant and junior schools."""

from __future__ import annotations

from dataclasses import dataclass

PAIRS = dict.fromkeys(
    ("Thornwold", "Marshside", "Merechester", "Ousemouth", "Saltby", "Dovebridge"), 1
)
CITY, AIDED = "Merechester", "Voluntary aided school"

LANTERN, TIDAL, WATER, BEACON = (
    "Lantern Learning Trust",
    "Tidal Schools Partnership",
    "Wold and Water Academies Trust",
    "Saltings Education Trust",
)


@dataclass(frozen=True)
class Secondary:
    """One secondary: `pan` is its Year 7 intake, `low` 4 an all-through school, 14 a UTC."""

    name: str
    town: str
    pan: int
    sixth_form: bool = False
    type: str = "Academy converter"
    trust: str = ""
    faith: str = ""
    sex: str = "mixed"
    selective: bool = False
    low: int = 11


SECONDARIES = (
    Secondary("Thornwold Academy", "Thornwold", 240, True, trust=WATER),
    Secondary("Upper Larrick School", "Upper Larrick", 210, type="Foundation school"),
    Secondary("Marshside Community Academy", "Marshside", 240, True, trust=TIDAL),
    Secondary("The Saltmarsh School", "Marshside", 180, type="Community school"),
    Secondary("Ternhaven School", "Ternhaven", 210, type="Foundation school"),
    Secondary("Reedholme Academy", "Reedholme", 180, trust=WATER),
    Secondary("Gannet Isle Academy", "Gannet Quay", 210, True, trust=TIDAL),
    Secondary("Merechester Boys' Grammar School", CITY, 180, True, sex="boys", selective=True),
    Secondary("Merechester Girls' Grammar School", CITY, 180, True, sex="girls", selective=True),
    Secondary("Hallam Fenwright's School", CITY, 150, True, AIDED, sex="boys",
              faith="Church of England", selective=True),
    Secondary("Lady Ysolde School for Girls", CITY, 150, True, sex="girls", selective=True),
    Secondary("Merechester Park Academy", CITY, 240, True, "Academy sponsor led", LANTERN),
    Secondary("The Weir School", CITY, 240, type="Community school"),
    Secondary("St Brannoc's Catholic School", CITY, 210, True, AIDED,
              faith="Roman Catholic"),
    Secondary("Abbotsmere School", "Abbotsmere", 210, True, trust=WATER),
    Secondary("Millwater Academy", "Millwater", 180, trust=LANTERN),
    Secondary("Sandmere UTC", CITY, 110, True, "University technical college", low=14),
    Secondary("Ousemouth Harbour Academy", "Ousemouth", 270, True, "Academy sponsor led", TIDAL),
    Secondary("Ousemouth Quays School", "Ousemouth", 210, type="Community school"),
    Secondary("Bishop Aldwin C of E School", "Ousemouth", 210, True, AIDED,
              faith="Church of England"),
    Secondary("Tidewell School", "Tidewell", 180, trust=BEACON),
    Secondary("Southferry Lock Academy", "Southferry", 210, trust=TIDAL),
    Secondary("Southferry High School", "Southferry", 240, True, "Foundation school"),
    Secondary("Saltby Bay Academy", "Saltby", 240, False, "Academy sponsor led", BEACON),
    Secondary("The Groyne School", "Saltby", 210, False, "Community school"),
    Secondary("Saltby All-Through Academy", "Saltby", 120, False, "Free schools", BEACON, low=4),
    Secondary("Coldsands School", "Coldsands", 180, False, "Foundation school"),
    Secondary("Whin Cross Academy", "Whin Cross", 210, True, trust=BEACON),
    Secondary("Larkford School", "Larkford", 240, True, trust=WATER),
    Secondary("Larkford Mead Academy", "Larkford", 180, trust=WATER),
    Secondary("Wrenmead School", "Wrenmead", 240, True, "Foundation school"),
    Secondary("Dovebridge Academy", "Dovebridge", 210, True, trust=WATER),
)  # fmt: skip
