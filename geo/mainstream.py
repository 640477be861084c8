"""Which establishments are state-funded mainstream schools, and of which phase."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import pandas as pd

from geo.symbols import per_word

MAINSTREAM = "mainstream"
SPECIAL = "special school"
NON_MAINTAINED = "non-maintained special school"
ALTERNATIVE = "alternative provision or pupil referral unit"
NURSERY = "nursery school"
POST_16 = "post-16 or further education"
INDEPENDENT = "independent school"
OTHER = "not a school for this purpose"
ABROAD = "outside England"
CLOSED = "closed"
NOT_LISTED = "closed or not in the open list"
PROPOSED = "proposed to open"
UNKNOWN = "type of school not known"

PHASES = ("primary", "secondary", "all_through", "middle_primary", "middle_secondary")

# GIAS code -> (GIAS name, kind). Codes as in the GIAS establishment types list.
TYPES: dict[int, tuple[str, str]] = {
    1: ("Community school", MAINSTREAM),
    2: ("Voluntary aided school", MAINSTREAM),
    3: ("Voluntary controlled school", MAINSTREAM),
    5: ("Foundation school", MAINSTREAM),
    6: ("City technology college", MAINSTREAM),
    7: ("Community special school", SPECIAL),
    8: ("Non-maintained special school", NON_MAINTAINED),
    10: ("Other independent special school", INDEPENDENT),
    11: ("Other independent school", INDEPENDENT),
    12: ("Foundation special school", SPECIAL),
    14: ("Pupil referral unit", ALTERNATIVE),
    15: ("Local authority nursery school", NURSERY),
    18: ("Further education", POST_16),
    24: ("Secure units", OTHER),
    25: ("Offshore schools", ABROAD),
    26: ("Service children's education", ABROAD),
    27: ("Miscellaneous", OTHER),
    28: ("Academy sponsor led", MAINSTREAM),
    29: ("Higher education institutions", POST_16),
    30: ("Welsh establishment", ABROAD),
    31: ("Sixth form centres", POST_16),
    32: ("Special post 16 institution", POST_16),
    33: ("Academy special sponsor led", SPECIAL),
    34: ("Academy converter", MAINSTREAM),
    35: ("Free schools", MAINSTREAM),
    36: ("Free schools special", SPECIAL),
    37: ("British schools overseas", ABROAD),
    38: ("Free schools alternative provision", ALTERNATIVE),
    39: ("Free schools 16 to 19", POST_16),
    40: ("University technical college", MAINSTREAM),
    41: ("Studio schools", MAINSTREAM),
    42: ("Academy alternative provision converter", ALTERNATIVE),
    43: ("Academy alternative provision sponsor led", ALTERNATIVE),
    44: ("Academy special converter", SPECIAL),
    45: ("Academy 16-19 converter", POST_16),
    46: ("Academy 16 to 19 sponsor led", POST_16),
    49: ("Online provider", OTHER),
    56: ("Institution funded by other government department", OTHER),
    57: ("Academy secure 16 to 19", OTHER),
}
_MORE_NAMES = {
    "General further education college": POST_16,
    "Sixth form college": POST_16,
    "Independent school": INDEPENDENT,
    "Independent special school": INDEPENDENT,
    "Special school": SPECIAL,
    "Nursery school": NURSERY,
    "Alternative provision": ALTERNATIVE,
    "Academy": MAINSTREAM,
    "Maintained school": MAINSTREAM,
    "Local authority maintained": MAINSTREAM,
    "Mainstream school": MAINSTREAM,
}
_CENSUS = {
    "state funded primary": MAINSTREAM,
    "state funded secondary": MAINSTREAM,
    "state funded special": SPECIAL,
    "state funded special school": SPECIAL,
    "special school": SPECIAL,
    "non maintained special school": NON_MAINTAINED,
    "state funded ap school": ALTERNATIVE,
    "state funded alternative provision": ALTERNATIVE,
    "pupil referral unit": ALTERNATIVE,
    "state funded nursery": NURSERY,
    "independent school": INDEPENDENT,
    "independent": INDEPENDENT,
}
_STATUS = {
    "open": "",
    "openbutproposedtoclose": "",
    "closed": CLOSED,
    "proposedtoopen": PROPOSED,
    "": "",
}
_STATUS_CODE = {"1": "Open", "2": "Closed", "3": "Open, but proposed to close"}
_STATUS_CODE["4"] = "Proposed to open"
_PHASE_CODE = {"1": "Nursery", "2": "Primary", "3": "Middle deemed primary", "4": "Secondary"}
_PHASE_CODE |= {"5": "Middle deemed secondary", "6": "16 plus", "7": "All-through"}
_PHASE = {
    **{"primary": "primary", "infant": "primary", "junior": "primary", "first": "primary"},
    **{"secondary": "secondary", "upper": "secondary", "high": "secondary"},
    **{"allthrough": "all_through", "middledeemedprimary": "middle_primary"},
    **{"middledeemedsecondary": "middle_secondary", "middleprimary": "middle_primary"},
    **{"middlesecondary": "middle_secondary", "16plus": POST_16, "nursery": NURSERY},
    **{"": "", "notapplicable": "", "notrecorded": ""},
}


@dataclass(frozen=True)
class Sorted:
    """What became of every row; all Series share the index of the rows.

    `reason` str, "" for a mainstream school, else why it is set aside; `detail` str, the words of
    the file; `phase` str, one of PHASES or "" where it could not be told; `type` str, the GIAS
    name of the type, and `status` str, both filled from codes where the name is missing;
    `unsure` is a list of (kind, text, index).
    """

    reason: pd.Series
    detail: pd.Series
    phase: pd.Series
    type: pd.Series
    status: pd.Series
    unsure: list[tuple[str, str, pd.Index]]


def _bag(words: str) -> str:
    """Words of a type without order, punctuation and the words that vary between releases."""
    dropped = {"school", "schools", "mainstream", "the", "to", "led", "institution", "institutions"}
    return " ".join(sorted(set(re.findall(r"[a-z0-9]+", words.lower())) - dropped))


_NAMES = [(name, kind) for name, kind in TYPES.values()] + list(_MORE_NAMES.items())
_BAGS = {_bag(name): (name, kind) for name, kind in reversed(_NAMES)}
_BAGS[""] = ("Mainstream school", MAINSTREAM)


def read_type(words: str) -> tuple[str, str, bool]:
    """Return (GIAS name, kind, whether it had to be guessed); ("", "", False) for an unknown type.

    "Free school - Mainstream" and "Free schools" are one type; "Comunity special school" is
    guessed, and the caller says so. The nearest name must be very near (difflib ratio 0.84).
    """
    bag = _bag(words)
    if not words.strip():
        return "", "", False
    if bag in _BAGS:
        return (*_BAGS[bag], False)
    near = difflib.get_close_matches(bag, list(_BAGS), n=1, cutoff=0.84)
    return (*_BAGS[near[0]], True) if near else ("", "", False)


def _mapped(words: pd.Series, meaning: dict[str, str]) -> pd.Series:
    return words.map(meaning).fillna("").astype(str)


def _filled(frame: pd.DataFrame, column: str, names: dict[str, str]) -> pd.Series:
    """The words of a column; where they are missing, those its code stands for."""
    empty = pd.Series("", index=frame.index, dtype=str)
    words = frame.get(column, empty)
    code = frame.get(f"{column}_code", empty).str.lstrip("0")
    return words.where(words != "", _mapped(code, names))


def sort_out(frame: pd.DataFrame) -> Sorted:
    """Tell mainstream schools from the rest by status, type and phase, in this order.

    `frame` str columns type, status, phase, census_type, group where the file has them, and
    low_age, high_age float. Words follow GIAS; the census type decides where the type is missing.
    """
    unsure: list[tuple[str, str, pd.Index]] = []
    empty = pd.Series("", index=frame.index, dtype=str)
    status = _filled(frame, "status", _STATUS_CODE)
    type_ = _filled(frame, "type", {str(code): name for code, (name, _) in TYPES.items()})
    by_status = per_word(
        status, lambda word: _STATUS.get(re.sub(r"[^a-z]", "", word.lower()), NOT_LISTED)
    )
    census = frame.get("census_type", empty).str.lower().str.replace("-", " ").str.strip()
    kind = _kinds(type_, _mapped(census, _CENSUS), unsure)
    as_written = type_
    type_ = type_.map({words: read_type(words)[0] or words for words in set(type_)}).astype(str)
    words = _filled(frame, "phase", _PHASE_CODE)
    phase = per_word(words, lambda word: re.sub(r"[^a-z0-9]", "", word.lower())).map(_PHASE)
    unsure += [
        ("phase", f'the phase "{word}" is not known and was not used', words.index[words == word])
        for word in sorted(set(words[phase.isna()]))
    ]
    phase = phase.fillna("").astype(str)
    kind = _by_phase_where_unknown(kind, phase, type_, unsure)
    in_hand = (kind == MAINSTREAM) & (by_status == "")
    derived = _derived(frame, census)
    blank = in_hand & (phase == "")
    for value in sorted(set(derived[blank & (derived != "")])):
        text = f"no phase in the file; read from census type and ages as {value.replace('_', '-')}"
        unsure += [("phase", text, frame.index[blank & (derived == value)])]
    phase = phase.where(~blank, derived)
    of_phase = phase.where(phase.isin([POST_16, NURSERY]), "")
    reason = by_status.where(by_status != "", kind.where(kind != MAINSTREAM, of_phase))
    phase = phase.where(phase.isin(PHASES), "")
    detail = as_written.where(as_written != "", frame.get("census_type", empty))
    detail = detail.where(by_status == "", detail + "; " + status).str.removeprefix("; ")
    return Sorted(reason, detail, phase, type_, status, unsure)


def _kinds(
    type_: pd.Series, by_census: pd.Series, unsure: list[tuple[str, str, pd.Index]]
) -> pd.Series:
    kinds: dict[str, str] = {}
    respelt: list[str] = []
    for words in sorted(set(type_)):
        name, kind, guessed = read_type(words)
        kinds[words] = kind
        if guessed:
            unsure.append(
                ("type", f'the type "{words}" was read as "{name}"', type_[type_ == words].index)
            )
        elif kind and words.lower() != name.lower():
            respelt.append(f'"{words}" is "{name}"')
    if respelt:
        text = f"types of another spelling were understood: {'; '.join(respelt)}"
        rows = type_.index[type_.map(lambda words: f'"{words}" is' in text)]
        unsure.append(("type", text, rows))
    kind = type_.map(kinds).fillna("").astype(str)
    told = (kind == "") & (by_census != "")
    for value in sorted(set(by_census[told])):
        text = f"no usable type in the file; the census counts it as {value}"
        unsure += [("type", text, type_.index[told & (by_census == value)])]
    return kind.where(kind != "", by_census)


def _by_phase_where_unknown(
    kind: pd.Series,
    phase: pd.Series,
    type_: pd.Series,
    unsure: list[tuple[str, str, pd.Index]],
) -> pd.Series:
    """A type nobody can read must not lose a school that has a mainstream phase."""
    open_question = kind == ""
    kept = open_question & phase.isin(PHASES)
    for words in sorted(set(type_[kept])):
        spoken = f'the type "{words}" is not known' if words else "the file gives no type"
        unsure.append(
            (
                "type",
                f"{spoken}; kept because the phase is that of a mainstream school",
                kind.index[kept & (type_ == words)],
            )
        )
    kind = kind.mask(kept, MAINSTREAM)
    return kind.where(kind != "", phase.where(phase.isin([POST_16, NURSERY]), UNKNOWN))


def _derived(frame: pd.DataFrame, census: pd.Series) -> pd.Series:
    """The phase that census type and statutory ages speak for; "" where they do not."""
    low, high = frame["low_age"], frame["high_age"]
    derived = pd.Series("", index=frame.index, dtype=str)
    derived[census == "state funded primary"] = "primary"
    derived[census == "state funded secondary"] = "secondary"
    derived[(low <= 7) & (high <= 12)] = "primary"
    derived[(low >= 11) & (high > 14)] = "secondary"
    derived[(low >= 8) & (low <= 10) & (high <= 12)] = "middle_primary"
    derived[(low >= 8) & (low <= 10) & (high >= 13) & (high <= 14)] = "middle_secondary"
    derived[(low <= 7) & (high >= 15)] = "all_through"
    derived[low >= 16] = POST_16
    # A junior school starts at 7; the census word goes before an odd age range such as 8 to 11.
    return derived.mask(
        (derived == "middle_primary") & (census == "state funded primary"), "primary"
    )
